import { z } from "zod";
import { HTTP_STATUS } from "../../foundation/errors.ts";
import type { Failure } from "../../http/contract.ts";
import { errorDocs, type Reply } from "../../http/route.ts";
import { retryAfter } from "../fastapi-failure.ts";

/** The media type of a problem. */
export const PROBLEM_TYPE = "application/problem+json";

/** A problem (RFC 9457), with Belfry's code, and what is wrong about an input. */
export const problemSchema = z
  .object({
    title: z.string().meta({ description: "The code in words" }),
    status: z.int(),
    detail: z.string().meta({ description: "What happened, with which value, and what to do" }),
    code: z.string().meta({ description: "One of a closed list of codes" }),
    issues: z
      .array(z.object({ path: z.array(z.union([z.string(), z.int()])), message: z.string(), type: z.string() }))
      .optional()
      .meta({ description: "For VALIDATION_ERROR: each wrong member" }),
  })
  .meta({ id: "Problem" });

/** Returns the documentation of error answers. */
export const errors = errorDocs({
  400: {
    description: "The cursor is not one of this list, or the Idempotency-Key is none",
    schema: problemSchema,
    contentType: PROBLEM_TYPE,
  },
  403: { description: "It exists, but is not the caller's", schema: problemSchema, contentType: PROBLEM_TYPE },
  404: { description: "It is unknown or deleted", schema: problemSchema, contentType: PROBLEM_TYPE },
  409: { description: "It is not possible now", schema: problemSchema, contentType: PROBLEM_TYPE },
  422: {
    description: "A member or parameter is not valid, or the Idempotency-Key was used for another request",
    schema: problemSchema,
    contentType: PROBLEM_TYPE,
  },
});

/** What callers are told where the log has the details. */
const UNTOLD: Readonly<Partial<Record<number, string>>> = {
  500: "The server could not answer. Its log says why.",
  503: "The server cannot answer at the moment. Try again.",
};

/** Renders a failure as a problem (RFC 9457). */
export function problem({ error, credentialPresented = false }: Failure): Reply {
  const { code, issues } = error;
  const status = HTTP_STATUS[code];
  const unknownCaller = credentialPresented ? "The credential is not valid, or not any more." : "There is no credential.";
  const detail = UNTOLD[status] ?? (status === 401 ? unknownCaller : error.message);
  const title = code.charAt(0) + code.slice(1).toLowerCase().replaceAll("_", " ");
  const json = { title, status, detail, code, ...(issues.length === 0 ? {} : { issues }) };
  const challenge = status === 401 ? { "www-authenticate": "Bearer" } : {};
  return { status, headers: { "content-type": PROBLEM_TYPE, ...challenge, ...retryAfter(error) }, json };
}

import { z } from "zod";
import { VERSION } from "../../foundation/version.ts";
import { defineRoute } from "../../http/route.ts";

/** The route that says that the API is running. It needs no key. */
export const statusRoute = defineRoute({
  method: "GET",
  path: "/status",
  operationId: "getStatus",
  summary: "Check that the API is running",
  isPublic: true,
  responses: { 200: { description: "It is", schema: z.object({ status: z.literal("ok"), version: z.string() }) } },
  async handle() {
    return { status: 200, json: { status: "ok", version: VERSION } };
  },
});

import type { z } from "zod";
import { BelfryError, type Issue } from "../foundation/errors.ts";
import { IssueList } from "../foundation/issue-list.ts";
import type { RequestPart } from "./contract.ts";
import type { HttpRequest } from "./messages.ts";

/** How large a body may be. */
const MAX_BYTES = 1024 * 1024;

/** The deepest JSON that Belfry reads. No contract needs more, and this much does not exhaust the stack. */
const MAX_DEPTH = 100;

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

interface BodyToRead {
  /** @default 1 MiB */
  readonly maxBytes?: number | undefined;
  /** Whether a request without a body has an empty object. */
  readonly bodyOptional?: boolean | undefined;
}

/** Reads and checks the body of a request to a route. */
export async function readBody(
  schema: z.ZodType,
  request: HttpRequest,
  { maxBytes = MAX_BYTES, bodyOptional }: BodyToRead,
): Promise<unknown> {
  const value = await readJson(request, maxBytes);
  return validate(schema, value === undefined && bodyOptional ? {} : value, "body");
}

/** Reads a request's JSON body; undefined if there is none. */
export async function readJson(request: HttpRequest, maxBytes: number): Promise<unknown> {
  if (request.parsedBody) {
    const { value } = request.parsedBody;
    // Parsers return an empty object for an empty body of any type.
    if (!isEmptyObject(value)) {
      checkType(request);
      refuse(isDeeper(value, MAX_DEPTH));
    }
    return value;
  }
  const bytes = await request.body(maxBytes);
  if (bytes.length === 0) {
    return undefined;
  }
  // Belfry has not yet counted bytes that the host had already read.
  if (bytes.length > maxBytes) {
    throw bodyTooLarge(maxBytes);
  }
  checkType(request);
  try {
    checkShape(bytes);
    return parse(bytes);
  } catch (error) {
    throw encodingProblem(request) ?? error;
  }
}

/**
 * Explains why a body could not be read if it is compressed: Belfry does not decompress, as a few bytes can become many. A
 * host's own parser may have; then the body is JSON, whatever the header says.
 */
function encodingProblem({ headers }: HttpRequest): BelfryError | null {
  const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "";
  return encoding === "" || encoding === "identity"
    ? null
    : new BelfryError(
        "UNSUPPORTED_MEDIA_TYPE",
        `The body is encoded as ${JSON.stringify(encoding.slice(0, 40))}; send it without Content-Encoding.`,
      );
}

/** Facts about a body that is being read. */
interface BytesToRead {
  readonly maxBytes: number;
  /** The value of the header Content-Length. */
  readonly declaredLength: string | null | undefined;
  /** Whether all of the body has arrived, so that an error is not the client's. @default it has not */
  isComplete?(): boolean;
}

/** Reads a body as it arrives. It does not touch a body that is declared too large. Throws `PAYLOAD_TOO_LARGE`, and `INVALID_JSON` if the connection ends before the body does. */
export async function readBytes(chunks: () => AsyncIterable<Uint8Array>, body: BytesToRead): Promise<Uint8Array> {
  const { maxBytes, declaredLength, isComplete = () => false } = body;
  if (Number(declaredLength ?? 0) > maxBytes) {
    throw bodyTooLarge(maxBytes);
  }
  const read: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of chunks()) {
      size += chunk.length;
      if (size > maxBytes) {
        throw bodyTooLarge(maxBytes);
      }
      read.push(chunk);
    }
  } catch (error) {
    // The client disconnected in the middle. Nobody receives the answer, and this is no error.
    throw error instanceof BelfryError || isComplete()
      ? error
      : new BelfryError("INVALID_JSON", "The connection ended before the request's body did.", { cause: error });
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of read) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** The error of a body that is too large. */
export function bodyTooLarge(maxBytes: number): BelfryError {
  return new BelfryError("PAYLOAD_TOO_LARGE", `The body is larger than the ${maxBytes} bytes allowed.`);
}

/**
 * Refuses a body that is not declared as JSON, even if it looks like JSON. A page of another site can send forms, plain text
 * and bodies without a type with its visitor's cookies, or to a server on its visitor's machine, but it cannot send JSON.
 * Clients other than browsers send no origin, and may leave the type out.
 */
function checkType(request: HttpRequest): void {
  const { origin, "content-type": contentType } = request.headers;
  const isDeclared = contentType === undefined ? origin === undefined : JSON_TYPE.test(contentType);
  if (!isDeclared) {
    const shown = contentType?.split(";", 1)[0]?.trim() ?? "of no type";
    const details = { media_type: contentType ?? "" };
    throw new BelfryError("UNSUPPORTED_MEDIA_TYPE", `The body is "${shown}"; send JSON with Content-Type: application/json.`, { details });
  }
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new BelfryError("INVALID_JSON", "The body is not valid JSON in UTF-8.", { cause: error });
  }
}

function refuse(isTooDeep: boolean): void {
  if (isTooDeep) {
    throw new BelfryError("INVALID_JSON", `The body is nested deeper than ${MAX_DEPTH} levels.`);
  }
}

/** Whether a value is nested deeper than `levels`. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return levels < 0 || members.some((member) => typeof member === "object" && isDeeper(member, levels - 1));
}

const CODES = { quote: 0x22, colon: 0x3a, openList: 0x5b, backslash: 0x5c, closeList: 0x5d, openObject: 0x7b, closeObject: 0x7d } as const;

/**
 * The most of each that a body may have. To parse a MiB of short names, texts or brackets takes 50 to 120 ms, in which nobody
 * else is served.
 */
const MAX_PARTS = { "members with a name": 20_000, "lists and objects": 50_000, texts: 120_000 } as const;

/**
 * Refuses JSON text that is nested deeper than Belfry reads, or has too many parts. To count them costs much less than to
 * parse them.
 */
function checkShape(bytes: Uint8Array): void {
  const seen = new Uint32Array(256);
  let [depth, deepest] = [0, 0];
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    seen[byte] = (seen[byte] ?? 0) + 1;
    if (byte === CODES.quote) {
      at = endOfText(bytes, at + 1);
    } else if (byte === CODES.openList || byte === CODES.openObject) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (byte === CODES.closeList || byte === CODES.closeObject) {
      depth -= 1;
    }
  }
  refuse(deepest > MAX_DEPTH + 1);
  const count = (code: number) => seen[code] ?? 0;
  const parts = {
    "members with a name": count(CODES.colon),
    "lists and objects": count(CODES.openList) + count(CODES.openObject),
    texts: count(CODES.quote),
  };
  for (const [what, most] of Object.entries(MAX_PARTS) as [keyof typeof MAX_PARTS, number][]) {
    if (parts[what] > most) {
      throw new BelfryError("PAYLOAD_TOO_LARGE", `The body has ${parts[what]} ${what}; at most ${most} are allowed.`);
    }
  }
}

/** The place of the quote that ends the text which begins at `at`, or the end of the bytes. */
function endOfText(bytes: Uint8Array, at: number): number {
  for (let next = bytes.indexOf(CODES.quote, at); next !== -1; next = bytes.indexOf(CODES.quote, next + 1)) {
    let escapes = next;
    while (escapes > at && bytes[escapes - 1] === CODES.backslash) {
      escapes -= 1;
    }
    if ((next - escapes) % 2 === 0) {
      return next;
    }
  }
  return bytes.length;
}

/** Checks one part of a request. Throws a `VALIDATION_ERROR` with its issues, which names the part. */
export function validate<Output>(schema: z.ZodType<Output>, value: unknown, part: RequestPart): Output {
  const result = schema.safeParse(value);
  if (result.success) {
    return result.data;
  }
  const issues = new IssueList();
  for (const issue of result.error.issues) {
    issues.add(() => toIssue(issue, value));
  }
  const { message, issues: listed } = issues.error();
  throw new BelfryError("VALIDATION_ERROR", message, { issues: listed, details: { part } });
}

function toIssue(issue: z.core.$ZodIssue, input: unknown): Issue {
  const path = issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
  const isOfNoType = issue.code === "invalid_type" || issue.code === "invalid_value";
  const missing = isOfNoType && valueAt(input, path) === undefined;
  return { path, message: missing ? "Field required" : issue.message, type: missing ? "missing" : issueType(issue) };
}

/** Returns FastAPI's kind of error for an issue. Checks of Belfry's own parameters set it themselves. */
function issueType(issue: z.core.$ZodIssue): string {
  if (issue.code === "custom") {
    const type: unknown = issue.params?.type;
    return typeof type === "string" ? type : "value_error";
  }
  if (issue.code === "invalid_value") {
    return "enum";
  }
  if (issue.code === "invalid_type") {
    return issue.expected === "object" ? "model_attributes_type" : `${issue.expected}_type`;
  }
  return issue.code;
}

function valueAt(input: unknown, path: readonly (string | number)[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) {
      return undefined;
    }
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

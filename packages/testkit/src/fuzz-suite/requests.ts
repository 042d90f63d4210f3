import fc, { type Arbitrary } from "fast-check";
import { hostileText, type Resolve, type Schema, spoiled, validValue } from "./schema-values.ts";

/** A request that a fuzz sends. */
export interface FuzzRequest {
  readonly method: string;
  /** The path with its query, encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An operation of an OpenAPI document. */
interface FuzzOperation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { readonly in: string; readonly name: string; readonly schema: Schema }[];
  readonly body: Schema | null;
  readonly resolve: Resolve;
}

interface OpenapiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenapiOperation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

interface OpenapiOperation {
  readonly parameters?: FuzzOperation["parameters"];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

/** Lists the operations of an OpenAPI document. */
function operationsOf(document: object): FuzzOperation[] {
  const { paths, components } = document as OpenapiDocument;
  const resolve: Resolve = (schema) => {
    const name = schema.$ref?.split("/").at(-1);
    return name === undefined ? schema : (components?.schemas?.[name] ?? {});
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody?.content["application/json"]?.schema ?? null,
      resolve,
    })),
  );
}

/** The texts and credentials that a fuzz knows. */
export interface Knowledge {
  /** Ids, users and other texts that mean something here, those of other tenants among them. */
  readonly words: readonly string[];
  /** Headers with a credential, good and bad ones. The first opens the operation. */
  readonly credentials: readonly [Readonly<Record<string, string>>, ...Readonly<Record<string, string>>[]];
}

/** Longer than any parameter may be. */
const LONGEST = 300;
const OTHER_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const OTHER_TYPES = ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "application/xml", "json"];
const GARBAGE = ["", "{", "[", "null", '"x"', "1", "{}", "[]", '{"a":', '{"a":1}}', "\ufeff{}", "\u0000", '{"a":1,"a":2}', "NaN"];
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  { "idempotency-key": "same" },
  { "idempotency-key": "x".repeat(256) },
  { "last-event-id": "x:y:z" },
  { "last-event-id": `${"a".repeat(300)}:-1` },
  { origin: "https://evil.example" },
  { "x-forwarded-for": "127.0.0.1, ::1" },
  { "x-http-method-override": "DELETE" },
  { cookie: "session=1; __proto__=2" },
  { "content-encoding": "gzip" },
];

/** Makes `count` requests for the operations of OpenAPI documents, each document with what is known about it. The same seed makes the same ones. */
export function fuzzRequests(
  documents: readonly (readonly [document: object, knowledge: Knowledge])[],
  { seed, count }: { readonly seed: number; readonly count: number },
): FuzzRequest[] {
  const requests = documents.map(([document, knowledge]) =>
    fc.oneof(...operationsOf(document).map((operation) => requestsFor(operation, knowledge))),
  );
  return fc.sample(fc.oneof(...requests), { seed, numRuns: count });
}

/** Makes requests for an operation: about a third as its schema wants them, the others wrong in one place or several. */
function requestsFor(operation: FuzzOperation, { words, credentials }: Knowledge): Arbitrary<FuzzRequest> {
  return fc
    .record({
      target: target(operation, words),
      body: operation.body === null ? rarely(fc.constantFrom(...GARBAGE)) : bodyOf(operation.body, words, operation.resolve),
      method: fc.oneof({ weight: 19, arbitrary: fc.constant(operation.method) }, fc.constantFrom(...OTHER_METHODS)),
      type: fc.oneof({ weight: 9, arbitrary: fc.constant("application/json") }, fc.constantFrom(...OTHER_TYPES)),
      credential: fc.oneof({ weight: 9, arbitrary: fc.constant(credentials[0]) }, fc.constantFrom(...credentials)),
      more: rarely(fc.constantFrom(...HEADERS)),
    })
    .map(({ target: path, body, method, type, credential, more }) => {
      const hasBody = body !== undefined && method !== "GET" && method !== "HEAD";
      return {
        method,
        path,
        headers: { ...(hasBody ? { "content-type": type } : {}), ...credential, ...more },
        ...(hasBody ? { body } : {}),
      };
    });
}

function rarely<Value>(arbitrary: Arbitrary<Value>): Arbitrary<Value | undefined> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, arbitrary);
}

function bodyOf(schema: Schema, words: readonly string[], resolve: Resolve): Arbitrary<string | undefined> {
  const valid = validValue(schema, words, resolve);
  return fc.oneof(
    { weight: 4, arbitrary: valid.map((value) => JSON.stringify(value)) },
    { weight: 8, arbitrary: spoiled(valid).map((value) => JSON.stringify(value)) },
    fc.constantFrom(...GARBAGE),
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constant(undefined),
  );
}

function target({ path, parameters, resolve }: FuzzOperation, words: readonly string[]): Arbitrary<string> {
  const inPath = parameters.filter((one) => one.in === "path");
  const inQuery = parameters.filter((one) => one.in === "query");
  const query = fc.record(Object.fromEntries(inQuery.map(({ name, schema }) => [name, textOf(schema, words, resolve)])), {
    requiredKeys: [],
  });
  return fc
    .record({
      values: fc.record(Object.fromEntries(inPath.map(({ name, schema }) => [name, textOf(schema, words, resolve)]))),
      query,
      extra: rarely(
        fc.tuple(
          fc.oneof(fc.constantFrom("user_id", "tenant", "client_id", "format", "cursor", "page", "[]"), hostileText()),
          hostileText(),
        ),
      ),
      slash: fc.boolean(),
      raw: rarely(fc.constantFrom("&&", "?a=b", "&limit=1&limit=2", "&=", "&a[]=1", "&%zz", "#x", "&limit=%F0%9F")),
    })
    .map(({ values, query: asked, extra, slash, raw }) => {
      const parts = Object.entries({ ...asked, ...(extra === undefined ? {} : { [extra[0]]: extra[1] }) }).map(
        ([name, value]) => `${encoded(name)}=${encoded(String(value))}`,
      );
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => segment(String((values as Record<string, unknown>)[name])));
      return `${filled}${slash ? "/" : ""}${parts.length + (raw?.length ?? 0) > 0 ? "?" : ""}${parts.join("&")}${raw ?? ""}`;
    });
}

/** A text for a parameter: one that fits, at its edge, or hostile. */
function textOf(schema: Schema, words: readonly string[], resolve: Resolve): Arbitrary<string> {
  const valid = validValue(schema, words, resolve).map(String);
  return fc.oneof({ weight: 3, arbitrary: valid }, fc.constantFrom(...words), hostileText());
}

/** Encodes a path segment. A URL would drop the segments "." and "..", and an empty one. */
function segment(text: string): string {
  return text === "" || text === "." || text === ".." ? "%20" : encoded(text).replaceAll(".", "%2E");
}

/** Encodes a text as UTF-8, half a surrogate pair as the three bytes that nobody may send. Node takes no target over 16 KiB. */
function encoded(text: string): string {
  const short = text.slice(0, LONGEST);
  return short.isWellFormed() ? encodeURIComponent(short) : "%ED%A0%80";
}

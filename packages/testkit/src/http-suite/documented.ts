import { type Contract, openapiDocument } from "@belfry/core/http";
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { expect } from "vitest";
import type { HttpHarness } from "./harness.ts";

/** The words of an OpenAPI document that are no words of JSON Schema. */
const OPENAPI_WORDS = ["openapi", "info", "servers", "security", "paths", "components"];

/** One request, as far as it decides which operation it hit. */
interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The parts of an answer that a document describes. */
interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** Null for an empty one. Left out if it is a stream. */
  readonly body?: unknown;
}

interface ResponseDoc {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, unknown>>;
}

interface OpenapiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, ResponseDoc>> }>>>>;
  readonly components?: { readonly responses?: Readonly<Record<string, ResponseDoc>> };
}

/** A documented answer of an operation. */
interface DocumentedAnswer {
  /** The media types that its body may have; none for an empty body. */
  readonly mediaTypes: readonly string[];
  /** Returns the first errors of a body, or null if it fits. */
  misfit(mediaType: string, body: unknown): readonly ErrorObject[] | null;
}

interface Operation {
  readonly contract: Contract;
  readonly method: string;
  readonly path: string;
  /** Matches the operation's paths, below the mount point. */
  readonly pattern: RegExp;
  readonly answers: ReadonlyMap<number, DocumentedAnswer>;
}

interface DocumentedServer {
  readonly prefix: string;
  readonly contracts: readonly Contract[];
  readonly operations: readonly Operation[];
}

const servers = new Map<string, DocumentedServer>();
const compiled = new Map<string, Ajv2020>();

/** Remembers the OpenAPI documents of every server of a harness, so that {@link expectDocumented} can look answers up in them. */
export function documented(harness: HttpHarness): HttpHarness {
  return {
    ...harness,
    async serve(service, options, mounting = {}) {
      const server = await harness.serve(service, options, mounting);
      const { contracts } = options;
      const operations = contracts.flatMap(operationsOf);
      servers.set(server.url, { prefix: mounting.prefix ?? "", contracts, operations });
      return server;
    },
  };
}

/**
 * Checks an answer against the OpenAPI document of the operation that was hit: its status, its content type and its body.
 * Answers of the host itself pass.
 */
export function expectDocumented(asked: Asked, answered: Answered): void {
  const hit = operationsHit(asked, answered.status);
  if (hit.length === 0 || asked.method === "OPTIONS") {
    return;
  }
  const problems = hit.map((operation) => problemOf(operation, asked, answered));
  const what = `${asked.method} ${hit[0]?.path} answers ${answered.status} as its OpenAPI document says`;
  expect(problems.includes(null) ? [] : problems, what).toEqual([]);
}

/** Returns the operations that may have answered: several only if the credential does not decide between contracts. */
function operationsHit({ method, url, headers }: Asked, status: number): readonly Operation[] {
  const { origin, pathname } = new URL(url);
  const server = servers.get(origin);
  const path = pathname.slice(server?.prefix.length);
  const here = server?.operations.filter(({ pattern }) => pattern.test(path)) ?? [];
  if (server === undefined || !pathname.startsWith(server.prefix) || here.length === 0) {
    return [];
  }
  const bases = new Set(here.map(({ contract }) => contract.basePath));
  const sharing = server.contracts.filter(({ basePath }) => bases.has(basePath));
  const accepting = sharing.filter(({ credential }) => accepts(credential, headers));
  // Without a credential that one of them takes, every contract with this path may answer.
  const contracts = accepting.length > 0 ? accepting : [...new Set(here.map(({ contract }) => contract))];
  return contracts.flatMap((contract) => {
    const own = here.filter((one) => one.contract === contract);
    return own.length > 0 ? nearest(own, method) : refusals(server, contract, { method, status });
  });
}

/** Returns the operation that a request hits. Literal paths win over paths with parameters. */
function nearest(operations: readonly Operation[], method: string): readonly Operation[] {
  const parameters = Math.min(...operations.map(({ path }) => path.split("{").length));
  const found = operations.filter(({ path }) => path.split("{").length === parameters);
  const asked = found.filter((one) => one.method === (method === "HEAD" ? "GET" : method));
  return asked.length > 0 ? asked : found.slice(0, 1);
}

/** A contract that a credential chose, and that does not have the path, answers with its 401 or 404. */
function refusals({ operations }: DocumentedServer, contract: Contract, asked: { method: string; status: number }): readonly Operation[] {
  const { method, status } = asked;
  const refusing = operations.find((one) => one.contract === contract && [401, 404].includes(status) && one.answers.has(status));
  return refusing === undefined ? [] : [{ ...refusing, method: method === "HEAD" ? "GET" : method }];
}

function accepts(credential: Contract["credential"], headers: Asked["headers"]): boolean {
  const [scheme] = (headers.authorization ?? "").toLowerCase().split(" ", 1);
  if (headers["x-api-key"] !== undefined) {
    return credential === "api-key" || credential === "open";
  }
  // A Bearer credential may be an API key.
  return credential === "open" || scheme === credential || (scheme === "bearer" && credential === "api-key");
}

/** Returns why an answer is not as an operation documents it, or null. */
function problemOf({ contract, method, answers }: Operation, asked: Asked, { status, headers, body }: Answered): unknown {
  const isHead = asked.method === "HEAD";
  if (method !== (isHead ? "GET" : asked.method) && status !== 405 && status !== 401) {
    return `${contract.name} has no ${asked.method} here, but the answer is no 405`;
  }
  const answer = answers.get(status);
  if (answer === undefined) {
    return `${contract.name} documents only ${[...answers.keys()]}`;
  }
  return isHead ? null : problemOfBody(answer, headers.get("content-type")?.split(";", 1)[0] ?? null, body);
}

function problemOfBody({ mediaTypes, misfit }: DocumentedAnswer, mediaType: string | null, body: unknown): unknown {
  if (mediaType === null) {
    return mediaTypes.length === 0 ? null : `the body is to be ${mediaTypes}, and there is none`;
  }
  if (!mediaTypes.includes(mediaType)) {
    return `the body is ${mediaType}, and is to be ${mediaTypes.length === 0 ? "empty" : mediaTypes}`;
  }
  return body === undefined ? null : misfit(mediaType, body);
}

function operationsOf(contract: Contract): readonly Operation[] {
  const document = openapiDocument(contract) as OpenapiDocument;
  const ajv = validators(document);
  return contract.routes.map((route) => {
    const path = route.path.replace("*}", "}");
    const method = route.method.toLowerCase();
    const responses = Object.entries(document.paths[path]?.[method]?.responses ?? {});
    return {
      contract,
      method: route.method,
      path,
      pattern: new RegExp(`^${route.path.replaceAll(/\{\w+\*\}/g, ".+").replaceAll(/\{\w+\}/g, "[^/]+")}/?$`),
      answers: new Map(
        responses.map(([status, { $ref, content }]) => {
          const place = $ref ?? `#/paths/${pointer(path)}/${method}/responses/${status}`;
          const shared = document.components?.responses?.[$ref?.split("/").at(-1) ?? ""];
          return [Number(status), answerAt(ajv, place, Object.keys((shared ?? { content }).content ?? {}))];
        }),
      ),
    };
  });
}

function answerAt(ajv: Ajv2020, place: string, mediaTypes: readonly string[]): DocumentedAnswer {
  return {
    mediaTypes,
    misfit(mediaType, body) {
      const validate = ajv.getSchema(`${DOCUMENT}${place}/content/${pointer(mediaType)}/schema`);
      if (validate === undefined) {
        throw new Error(`The OpenAPI document has no schema at ${place}.`);
      }
      return validate(body) === true ? null : (validate.errors ?? []);
    },
  };
}

const DOCUMENT = "document";

/** Returns the validators of a document. Most servers of the suites have the same few documents. */
function validators(document: object): Ajv2020 {
  const text = JSON.stringify(document);
  const known = compiled.get(text);
  if (known) {
    return known;
  }
  const ajv = new Ajv2020({ strict: true });
  formats.default(ajv);
  ajv.addVocabulary(OPENAPI_WORDS);
  ajv.addSchema(document, DOCUMENT);
  compiled.set(text, ajv);
  return ajv;
}

/** Escapes a part of a JSON pointer in a URI. */
function pointer(part: string): string {
  return encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
}

import { randomInt } from "node:crypto";
import { type BelfryErrorCode, HTTP_STATUS, NotificationService } from "@belfry/core";
import { openapiDocument } from "@belfry/core/http";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { fuzzRequests } from "@belfry/testkit";
import { expect, test } from "vitest";
import type { ApiContext } from "../src/api/context.ts";
import { apiContract } from "../src/api/contract.ts";
import { FRAMEWORKS, startHost } from "./host.ts";

const CANARY = "canary-of-globex";
const [REQUESTS, TIMEOUT_MS] = process.env.BELFRY_LONG ? [10_000, 1_800_000] : [200, 60_000];
/** The answers that its routes promise, and the status of each failure. */
const DOCUMENTED = new Set([200, 201, ...Object.values(HTTP_STATUS)]);
const seed = Number(process.env.BELFRY_FUZZ_SEED ?? randomInt(2 ** 31));

test.each(FRAMEWORKS)(
  `${REQUESTS} requests made from the API's schemas, on %s, BELFRY_FUZZ_SEED=${seed}`,
  { timeout: TIMEOUT_MS },
  async (framework) => {
    const lines: string[] = [];
    const log = (_: object, message: string) => void lines.push(message);
    const service = new NotificationService({ storage: sqliteStorage(":memory:") });
    const [acme, globex] = [service.tenant("acme"), service.tenant("globex")];
    const own = await acme.create({ to: "ann", title: "own", message: "own" });
    const theirs = await globex.create({ to: "ann", title: CANARY, message: CANARY });
    const logger = { debug: () => {}, info: () => {}, warn: log, error: log };
    const authorize = () => ({ read: true, act: true, tenant: "acme", actor: "fuzz" });
    const host = await startHost(service, { framework, prefix: "/admin", authorize, logger });
    // Only the routes' shapes are looked at.
    const document = openapiDocument(apiContract({ challenge: undefined } as ApiContext));
    const words = ["ann", "bob", own.notification.id, theirs.notification.id, "email", "1", "2026-11-28T00:00:00Z", "all"];
    const credentials = [{ "x-belfry-dashboard": "1" }, {}, { origin: "https://evil.test" }] as const;
    for (const { method, path, headers, body } of fuzzRequests([[document, { words, credentials }]], { seed, count: REQUESTS })) {
      const response = await fetch(`${host.url}${path}`, { method, headers, redirect: "manual", ...(body === undefined ? {} : { body }) });
      const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
      const text = isStream ? "" : await response.text();
      await (isStream ? response.body?.cancel() : undefined);
      // OPTIONS goes on to the host.
      const isPassed = method === "OPTIONS" || (isStream && response.status === 200);
      const problem = isPassed ? null : problemOf(response, { method, path, text });
      expect([method, path, body, problem, text.includes(CANARY)]).toEqual([method, path, body, null, false]);
    }
    expect(lines).toEqual([]);
    expect((await globex.inbox("ann").list({})).items.map(({ title, readAt }) => [title, readAt])).toEqual([[CANARY, null]]);
    await host.close();
    await service.stop();
  },
);

/** The routes that answer with something else than JSON. */
const OTHER_KINDS = [
  ["/api/user-export", "application/x-ndjson"],
  ["/mail", "text/html"],
] as const;

/** Why an answer is none that the page's API gives, or null. Its document has no schemas, so its kinds of answers are told apart here. */
function problemOf({ status, headers }: Response, { method, path, text }: { method: string; path: string; text: string }): string | null {
  const kind = headers.get("content-type")?.split(";", 1)[0] ?? "nothing";
  if (status >= 500 || !DOCUMENTED.has(status)) {
    return `the status is ${status}`;
  }
  if (method === "HEAD" || (kind === "text/html" && !path.startsWith("/api"))) {
    return null;
  }
  if (status === 200 && OTHER_KINDS.some(([route, other]) => path.includes(route) && kind === other)) {
    return null;
  }
  if (kind !== "application/json") {
    return `the body of ${status} is ${kind}`;
  }
  const { error } = JSON.parse(text) as {
    readonly error?: { readonly code: BelfryErrorCode; readonly message: string; readonly issues: unknown[] };
  };
  const isFailure = error !== undefined && HTTP_STATUS[error.code] === status && error.message !== "" && Array.isArray(error.issues);
  return isFailure === status >= 400 ? null : `${status} says ${text.slice(0, 500)}`;
}

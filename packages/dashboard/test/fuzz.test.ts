import { randomInt } from "node:crypto";
import { NotificationService } from "@belfry/core";
import { openapiDocument } from "@belfry/core/http";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { fuzzRequests } from "@belfry/testkit";
import { expect, test } from "vitest";
import type { ApiContext } from "../src/api/context.ts";
import { apiContract } from "../src/api/contract.ts";
import { FRAMEWORKS, startHost } from "./host.ts";

const CANARY = "canary-of-globex";
const REQUESTS = 1_000;
const seed = Number(process.env.BELFRY_FUZZ_SEED ?? randomInt(2 ** 31));

test.each(FRAMEWORKS)(`${REQUESTS} requests made from the API's schemas, on %s, BELFRY_FUZZ_SEED=${seed}`, async (framework) => {
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
    expect([method, path, body, response.status < 500, text.includes(CANARY)]).toEqual([method, path, body, true, false]);
  }
  expect(lines).toEqual([]);
  expect((await globex.inbox("ann").list({})).items.map(({ title, readAt }) => [title, readAt])).toEqual([[CANARY, null]]);
  await host.close();
  await service.stop();
});

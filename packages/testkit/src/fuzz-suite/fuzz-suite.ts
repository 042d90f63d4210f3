import { randomInt } from "node:crypto";
import { type Contract, openapiDocument } from "@belfry/core/http";
import { describe, expect, test } from "vitest";
import { jwt } from "../http-suite/client.ts";
import { documented, expectDocumented } from "../http-suite/documented.ts";
import { everyContract } from "../http-suite/every-contract.ts";
import type { HttpHarness } from "../http-suite/harness.ts";
import { scriptedChannels } from "../http-suite/scripted-channels.ts";
import { API_KEY, OTHER_API_KEY, type Setting, useSetting } from "../http-suite/setting.ts";
import { heapBytes } from "./heap.ts";
import { type FuzzRequest, fuzzRequests } from "./requests.ts";
import { fuzzSockets } from "./sockets.ts";
import { CANARY, Tenants } from "./tenants.ts";

/** How much of a fuzz to run. */
export interface FuzzOptions {
  readonly requests: number;
  readonly frames: number;
}

/** Requests that are made before the words of the fuzz are collected anew. */
const ROUND = 500;
const AT_ONCE = 8;
/** An answer that refuses something is short, whatever was sent. */
const REFUSAL_BYTES = 16 * 1024;
/** From this many requests on, the fuzz also looks whether the memory comes back. */
const MANY = 50_000;
const LEAK_BYTES = 24 * 1024 * 1024;

/**
 * Sends a server requests that are made from its routes' own schemas, most of them wrong, and frames to its sockets. No
 * answer is a 5xx or undocumented, none shows another tenant's data, and nothing of that tenant changes.
 * `BELFRY_FUZZ_SEED` repeats a run that it printed.
 */
export function fuzzSuite(name: string, given: HttpHarness, options: FuzzOptions): void {
  const harness = documented(given);
  const seed = Number(process.env.BELFRY_FUZZ_SEED ?? randomInt(2 ** 31));

  describe(`Fuzz: ${name}`, () => {
    const channels = scriptedChannels();
    const contracts = everyContract();
    const setting = useSetting(harness, { contracts }, {}, { channels: [channels.email, channels.webhook] });

    test(`${options.requests} requests made from the routes' schemas, BELFRY_FUZZ_SEED=${seed}`, { timeout: 1_800_000 }, async () => {
      const tenants = new Tenants(setting);
      await tenants.fill();
      const theirs = await tenants.theirs();
      const statuses = new Map<number, number>();
      let heapBefore = 0;
      for (let sent = 0; sent < options.requests; sent += ROUND) {
        await fuzzRound(setting, contracts, {
          ...{ tenants, statuses, seed: seed + sent },
          count: Math.min(ROUND, options.requests - sent),
        });
        heapBefore = sent === ROUND * 10 ? heapBytes() : heapBefore;
      }
      expect(await tenants.theirs()).toEqual(theirs);
      if (options.requests >= MANY) {
        const grownBytes = heapBytes() - heapBefore;
        const counts = [...statuses].sort(([left], [right]) => left - right).map(([status, count]) => `${status}: ${count}`);
        process.stdout.write(`${name}: the heap grew by ${Math.round(grownBytes / 1024)} KiB; ${counts.join(", ")}\n`);
        expect(grownBytes).toBeLessThan(LEAK_BYTES);
      }
    });

    test(`${options.frames} frames to each socket, BELFRY_FUZZ_SEED=${seed}`, { timeout: 600_000 }, async () => {
      await fuzzSockets(setting, { frames: options.frames, seed });
    });
  });
}

interface Round {
  readonly tenants: Tenants;
  readonly statuses: Map<number, number>;
  readonly seed: number;
  /** How many requests are made. */
  readonly count: number;
}

async function fuzzRound({ url }: Setting, contracts: readonly Contract[], { tenants, statuses, seed, count }: Round): Promise<void> {
  const words = await tenants.words();
  const credentials = await credentialsOf();
  const documents = contracts.map((contract) => {
    const [own = {}, ...others] = [credentials[contract.credential], ...Object.values(credentials)];
    return [openapiDocument(contract), { words, credentials: [own, ...others] }] as const;
  });
  const queue = fuzzRequests(documents, { seed, count });
  const worker = async () => {
    for (let request = queue.pop(); request !== undefined; request = queue.pop()) {
      const status = await sendOne(url, request).catch((cause: unknown) => {
        throw new Error(`BELFRY_FUZZ_SEED=${seed}: ${JSON.stringify(request).slice(0, 2_000)}`, { cause });
      });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await tenants.tidy();
}

/** The credentials of a fuzz, by what they open. None opens the other tenant. */
async function credentialsOf(): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
  return {
    "api-key": { "x-api-key": API_KEY },
    bearer: { authorization: `Bearer ${await jwt("ann", { clientId: "acme" })}` },
    token: { authorization: "Token token-of-ann" },
    none: {},
    expired: { authorization: `Bearer ${await jwt("ann", { clientId: "acme", expiresInS: -1 })}` },
    cut: { "x-api-key": OTHER_API_KEY.slice(0, -1) },
    basic: { authorization: "Basic YTpi" },
    empty: { authorization: "Bearer ", "x-api-key": "" },
  };
}

async function sendOne(url: string, { method, path, headers, body }: FuzzRequest): Promise<number> {
  const response = await fetch(`${url}${path}`, { method, headers, redirect: "manual", ...(body === undefined ? {} : { body }) });
  const { status } = response;
  const asked = { method, url: `${url}${path}`, headers };
  if (response.headers.get("content-type")?.startsWith("text/event-stream") === true) {
    await response.body?.cancel();
    expectDocumented(asked, { status, headers: response.headers });
    return status;
  }
  const text = await response.text();
  expect(status).toBeLessThan(500);
  expect(text).not.toContain(CANARY);
  expect(status < 400 || text.length <= REFUSAL_BYTES).toBe(true);
  const isJson = /^application\/(problem\+)?json/.test(response.headers.get("content-type") ?? "");
  expectDocumented(asked, {
    status,
    headers: response.headers,
    body: isJson && text !== "" ? JSON.parse(text) : text === "" ? null : text,
  });
  return status;
}

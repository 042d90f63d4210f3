import { describe, expect, test } from "vitest";
import { ask } from "./client.ts";
import { everyContract } from "./every-contract.ts";
import type { HttpHarness } from "./harness.ts";
import { scriptedChannels } from "./scripted-channels.ts";
import { API_KEY, useSetting } from "./setting.ts";

/** Each close to the 1 MiB that a body may have. */
const NUMBERS = Array.from({ length: 520_000 }, () => 1);
const NULS = Array.from({ length: 110_000 }, () => "\u0000");
const NUL_NAMES = Object.fromEntries(Array.from({ length: 19_000 }, (_, at) => [`\u0000${at}`, 1]));
const NAMES = Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`n${at}`, 1]));
const LISTS = Array.from({ length: 340_000 }, () => []);
const TEXTS = Array.from({ length: 130_000 }, (_, at) => at.toString(36));
const LONG_NAME = { ["\u0000".repeat(150_000)]: "\u0000" };
const ANSWER_BYTES = 8 * 1024;
const ISSUES = 20;

const email = { type: "email", recipients: ["ann@example.com"], subject: "Hello", content: "Hi" };
const event = { source_service: "shop", sender_id: "ann", content: "Hi" };
const handler = { source_service: "shop", prompt: "Answer" };
const KEYED = "/api/belfry/v1/notifications";

type Case = readonly [name: string, method: string, path: string, body: object, status: number, issues: number];

const cases: readonly Case[] = [
  ["delivery-v1: 520,000 numbers as recipients", "POST", "/api/v1/notifications", { ...email, recipients: NUMBERS }, 422, 1],
  [
    "delivery-v1: 1,001 recipients",
    "POST",
    "/api/v1/notifications",
    { ...email, recipients: range(1_001, (at) => `u${at}@a.test`) },
    422,
    1,
  ],
  [
    "delivery-v1: 1,000 numbers as recipients",
    "POST",
    "/api/v1/notifications",
    { ...email, recipients: NUMBERS.slice(0, 1_000) },
    422,
    ISSUES,
  ],
  ["delivery-v1: 1,000 long wrong addresses", "POST", "/api/v1/notifications", { ...email, recipients: range(1_000, longText) }, 422, 0],
  ["delivery-v1: 110,000 NULs in meta", "POST", "/api/v1/notifications", { ...email, meta: { nuls: NULS } }, 422, ISSUES],
  ["delivery-v1: 19,000 names with a NUL in meta", "POST", "/api/v1/notifications", { ...email, meta: NUL_NAMES }, 422, ISSUES],
  ["delivery-v1: one name of 150,000 NULs", "POST", "/api/v1/notifications", { ...email, meta: LONG_NAME }, 422, 2],
  ["hub: 110,000 NULs in an event", "POST", "/notifications", { ...event, metadata: { nuls: NULS } }, 422, ISSUES],
  ["hub: 19,000 names with a NUL in an event", "POST", "/notifications", { ...event, metadata: NUL_NAMES }, 422, ISSUES],
  ["hub: 110,000 NULs in a filter", "POST", "/notification-handlers", { ...handler, metadata_filter: { nuls: NULS } }, 422, ISSUES],
  ["hub: 19,000 conditions", "POST", "/notification-handlers", { ...handler, metadata_filter: NUL_NAMES }, 422, ISSUES],
  ["hub: a list of 520,000 numbers as a name", "POST", "/identities", { source_service: NUMBERS, source_id: "a", name: "b" }, 422, 1],
  ["delivery-v1: 60,000 names", "POST", "/api/v1/notifications", { ...email, meta: NAMES }, 413, 0],
  ["delivery-v1: 340,000 lists", "POST", "/api/v1/notifications", { ...email, recipients: LISTS }, 413, 0],
  ["hub: 60,000 names", "POST", "/notifications", { ...event, metadata: NAMES }, 413, 1],
  ["hub: 60,000 conditions", "POST", "/notification-handlers", { ...handler, metadata_filter: NAMES }, 413, 1],
  ["pack: 130,000 texts", "POST", "/api/notifications/create", { user_id: TEXTS, content: "x" }, 413, 1],
  ["django: 340,000 lists", "POST", "/notifications/bulk/", { ids: LISTS, action: "read" }, 413, 1],
  ["django: 520,000 ids", "POST", "/notifications/bulk/", { ids: NUMBERS, action: "read" }, 400, 1],
  ["django: 1,000 wrong ids", "POST", "/notifications/bulk/", { ids: NULS.slice(0, 1_000), action: "read" }, 400, ISSUES],
  ["native: 340,000 lists", "POST", "/api/belfry/v1/inbox/items", { change: "read", ids: LISTS }, 413, 0],
  ["native: 520,000 numbers as ids", "POST", "/api/belfry/v1/inbox/items", { change: "read", ids: NUMBERS }, 422, 1],
  ["native: 1,000 wrong ids", "POST", "/api/belfry/v1/inbox/items", { change: "read", ids: NULS.slice(0, 1_000) }, 422, ISSUES],
  ["native: 19,000 names with a NUL in a filter", "POST", "/api/belfry/v1/inbox/all", { change: "read", filter: NUL_NAMES }, 422, 0],
  ["native-keys: 520,000 numbers as recipients", "POST", KEYED, { to: NUMBERS }, 422, ISSUES],
  ["native-keys: 340,000 lists as topics", "POST", KEYED, { topic: LISTS }, 413, 0],
  ["native-keys: 110,000 NULs in its data", "POST", KEYED, { to: "ann", data: { nuls: NULS } }, 422, ISSUES],
  ["native-keys: 1,000 wrong users", "POST", "/api/belfry/v1/subscribers", { topic: "a", users: NULS.slice(0, 1_000) }, 422, ISSUES],
  [
    "pack: 150,000 NULs as content",
    "POST",
    "/api/notifications/create",
    { user_id: NULS.slice(0, 1_000), content: "\u0000".repeat(150_000) },
    422,
    2,
  ],
];

/** Bodies of up to 1 MiB in which everything is wrong get a short answer that names no more than 20 issues. */
export function oversizedSuite(harness: HttpHarness): void {
  describe("bodies that are wrong a hundred thousand times", () => {
    const { email: mail, webhook } = scriptedChannels();
    const contracts = everyContract();
    const setting = useSetting(harness, { contracts }, {}, { channels: [mail, webhook] });

    const credentialFor = async (name: string): Promise<Readonly<Record<string, string>>> => {
      const ofUser = name.startsWith("django") ? setting.token("ann") : await setting.bearer("ann");
      return /^(django|native):/.test(name) ? ofUser : { "x-api-key": API_KEY };
    };

    test.each(cases)("row 12: %s", async (...one) => {
      const [name, method, path, json, status, issues] = one;
      const headers = await credentialFor(name);
      const answer = await ask(`${setting.url}${path}`, { method, json, headers });
      expect(answer.status).toBe(status);
      const text = JSON.stringify(answer.body);
      expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(ANSWER_BYTES);
      expect(countIssues(answer.body)).toBeLessThanOrEqual(Math.max(issues, 1));
      expect(text.includes("more issues)")).toBe(issues === ISSUES);
    });

    test("row 12: a thousand recipients are taken", async () => {
      const recipients = range(1_000, (at) => `user_${at}`);
      const json = { type: "websocket", recipients, subject: "Hello", content: "Hi", scheduled_at: "2099-01-01T00:00:00Z" };
      expect((await ask(`${setting.url}/api/v1/notifications`, { method: "POST", json, headers: { "x-api-key": API_KEY } })).status).toBe(
        201,
      );
    });
  });
}

function range<Value>(length: number, make: (at: number) => Value): Value[] {
  return Array.from({ length }, (_, at) => make(at));
}

function longText(at: number): string {
  return `${at} is no address ${"x".repeat(900)}`;
}

/** How many issues an answer lists, in any of the contracts' words. */
function countIssues(body: unknown): number {
  // In `errors`, django repeats what it says by field.
  const {
    code,
    issues = [],
    detail,
    error,
    errors: _,
    ...fields
  } = body as {
    readonly code?: string;
    readonly issues?: readonly unknown[];
    readonly detail?: unknown;
    readonly errors?: unknown;
    readonly error?: { readonly details?: { readonly fields?: readonly unknown[] } };
  };
  if (code !== undefined) {
    return issues.length;
  }
  if (error !== undefined) {
    return error.details?.fields?.length ?? 0;
  }
  return Array.isArray(detail) ? detail.length : Object.values(fields).flat().length;
}

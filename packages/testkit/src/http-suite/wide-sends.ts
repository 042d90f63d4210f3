import { deliveryV1, inboxV1 } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { type Ask, ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { scriptedChannels } from "./scripted-channels.ts";
import { API_KEY, type Setting, useSetting } from "./setting.ts";

const V1 = "/api/v1/notifications";
const WAIT = { timeout: 30_000, interval: 50 };
const WIDE = 130;
const SENDS = 80;
const MOST_RECIPIENTS = 1_000;
const LIST_BYTES = 4 * 1024 * 1024;

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly recipients: readonly string[];
  readonly meta: { readonly delivery_details?: { readonly attempts: readonly { readonly recipient: string }[] } };
}

interface Page<Entry> {
  readonly data: readonly Entry[];
  readonly pagination: { readonly skip: number; readonly limit: number; readonly total: number; readonly has_more: boolean };
}

/** Notifications with many recipients: every answer about them is bounded, and all their deliveries can be paged through. */
export function wideSendsSuite(harness: HttpHarness): void {
  describe("notifications with many recipients", () => {
    const channels = scriptedChannels();
    const setting = useSetting(harness, { contracts: [inboxV1(), deliveryV1()] }, {}, { channels: [channels.email] });
    const call = caller(setting);

    test("a list shows the attempts of the first 20 deliveries, one notification of the first 100, pages of deliveries all", async () => {
      const recipients = Array.from({ length: WIDE }, (_, at) => `user${at}@example.com`);
      const created = await call("POST", "/", { json: { type: "email", recipients, subject: "Hello", content: "Hi" } });
      const { id } = (created.body as { data: Shown }).data;
      const get = async () => ((await call("GET", `/${id}`)).body as { data: Shown }).data;
      await expect.poll(async () => (await get()).status, WAIT).not.toBe("pending");
      const tried = ({ meta }: Shown) => meta.delivery_details?.attempts.map(({ recipient }) => recipient).toSorted();
      expect(tried(await get())).toEqual(recipients.slice(0, 100).toSorted());
      const listed = (await call("GET", "/")).body as Page<Shown>;
      expect(listed.data.map(tried)).toEqual([recipients.slice(0, 20).toSorted()]);
      const deliveries = async (query: string) => (await call("GET", `/${id}/deliveries${query}`)).body as Page<{ recipient: string }>;
      const named = ({ data }: Page<{ recipient: string }>) => data.map(({ recipient }) => recipient);
      const first = await deliveries("");
      expect([named(first), first.pagination]).toEqual([recipients.slice(0, 100), { skip: 0, limit: 100, total: WIDE, has_more: true }]);
      const rest = await deliveries("?skip=100&limit=50");
      expect([named(rest), rest.pagination]).toEqual([recipients.slice(100), { skip: 100, limit: 50, total: WIDE, has_more: false }]);
      expect(named(await deliveries("?skip=1000"))).toEqual([]);
    });

    test.each(["?limit=0", "?limit=1001", "?skip=-1", "?limit=x"])("a page of deliveries with %s is 422", async (query) => {
      const created = await call("POST", "/", { json: { type: "email", recipients: ["a@example.com"], subject: "Hello", content: "Hi" } });
      const { id } = (created.body as { data: Shown }).data;
      expect((await call("GET", `/${id}/deliveries${query}`)).status).toBe(422);
    });
  });
}

/** Four clients list 80 notifications with as many recipients as one call takes, at once. */
export function widestListSuite(name: string, harness: HttpHarness): void {
  describe(`Widest lists: ${name}`, () => {
    const channels = scriptedChannels();
    const setting = useSetting(harness, { contracts: [inboxV1(), deliveryV1()] }, {}, { channels: [channels.email] });
    const call = caller(setting);

    test("four lists at once are answered whole, each in bounded size", { timeout: 240_000 }, async () => {
      const recipients = Array.from({ length: MOST_RECIPIENTS }, (_, at) => `user${at}@example.com`);
      const json = { type: "email", recipients, subject: "Hello", content: "Hi", scheduled_at: "2099-01-01T00:00:00Z" };
      for (let sent = 0; sent < SENDS; sent += 1) {
        expect((await call("POST", "/", { json })).status).toBe(201);
      }
      const pages = await Promise.all([1, 2, 3, 4].map(async () => (await call("GET", "/?limit=100")).body as Page<Shown>));
      for (const page of pages) {
        expect([page.data.length, page.data.every((one) => one.recipients.length === MOST_RECIPIENTS)]).toEqual([SENDS, true]);
        expect(JSON.stringify(page).length).toBeLessThan(LIST_BYTES);
      }
    });
  });
}

function caller(setting: Setting) {
  return (method: string, path: string, more: Ask = {}) =>
    ask(`${setting.url}${V1}${path}`, { method, ...more, headers: { "x-api-key": API_KEY } });
}

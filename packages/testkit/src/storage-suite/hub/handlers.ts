import type { Handler } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { at } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { useHub } from "./hub-fixture.ts";

/** The promises of keeping handlers. */
export function handlerTests(harness: StorageHarness): void {
  describe("handlers", () => {
    const fixture = useHub(harness);
    const list = (query: Partial<Parameters<typeof fixture.hub.listHandlers>[1]> = {}) =>
      fixture.hub.listHandlers(fixture.tenant, { limit: 100, offset: 0, ...query });

    test("a handler is found as it was written, by its tenant alone", async () => {
      const filter = JSON.parse('{"z":{"value":[1,null],"operator":"in"},"a":1,"__proto__":{"b":2}}') as Handler["filter"];
      const handler = await fixture.createHandler({ filter, prompt: "'; -- \" \\ 😀\n\u0001" });
      const { tenant, hub } = fixture;
      for (const found of [await hub.findHandler(tenant, handler.id), await hub.findHandler(tenant, handler.id.toUpperCase())]) {
        expect(found).toEqual(handler);
        expect(JSON.stringify(found?.filter)).toBe(JSON.stringify(filter));
      }
      expect(
        await Promise.all([
          hub.findHandler("another", handler.id),
          hub.findHandler(tenant, "unknown"),
          hub.findHandler(tenant, crypto.randomUUID()),
        ]),
      ).toEqual([null, null, null]);
    });

    test("lists are newest first, of one source too, with how many match wherever the page starts", async () => {
      const createdAt = fixture.newHandler().createdAt;
      const made: Handler[] = [];
      for (let index = 0; index < 5; index += 1) {
        made.push(await fixture.createHandler({ source: index % 2 === 0 ? "mail" : "chat", ...(index < 2 ? { createdAt } : {}) }));
      }
      await fixture.createHandler({ tenant: `${fixture.tenant} (other)` });
      expect(await list()).toEqual({ items: made.toReversed(), total: 5 });
      expect(await list({ limit: 2, offset: 2 })).toEqual({ items: [made[2], made[1]], total: 5 });
      expect(await list({ offset: 5 })).toEqual({ items: [], total: 5 });
      expect(await list({ source: "mail" })).toEqual({ items: [made[4], made[2], made[0]], total: 3 });
      expect(await list({ source: "chat", limit: 1 })).toEqual({ items: [made[3]], total: 2 });
      expect(await list({ source: "none" })).toEqual({ items: [], total: 0 });
      expect(await fixture.hub.listHandlers("another", { limit: 9, offset: 0 })).toEqual({ items: [], total: 0 });
    });

    test("an update changes what is given and the time of change", async () => {
      const handler = await fixture.createHandler();
      const { id } = handler;
      const update = (change: Omit<Parameters<typeof fixture.hub.updateHandler>[2], "at">, second: number) =>
        fixture.hub.updateHandler(fixture.tenant, id, { ...change, at: at(second) });
      const one = { ...handler, prompt: "New prompt", updatedAt: at(9_001) };
      expect(await update({ prompt: "New prompt" }, 9_001)).toEqual(one);
      const two = { ...one, filter: {}, updatedAt: at(9_002) };
      expect(await update({ filter: {} }, 9_002)).toEqual(two);
      const three = { ...two, source: "chat", updatedAt: at(9_003) };
      expect(await update({ source: "chat" }, 9_003)).toEqual(three);
      expect(await update({}, 9_004)).toEqual({ ...three, updatedAt: at(9_004) });
      const all = { source: "mail", prompt: "", filter: { b: [null] } };
      expect(await update(all, 9_005)).toEqual({ ...three, ...all, updatedAt: at(9_005) });
      expect(await fixture.hub.findHandler(fixture.tenant, id)).toEqual({ ...three, ...all, updatedAt: at(9_005) });
      expect((await list({ source: "chat" })).total).toBe(0);
    });

    test("an update or a deletion of what is not there, or is another tenant's, does nothing", async () => {
      const handler = await fixture.createHandler();
      const { tenant, hub } = fixture;
      const change = { prompt: "Changed", at: at(9) };
      for (const [of, id] of [
        ["another", handler.id],
        [tenant, "unknown"],
        [tenant, crypto.randomUUID()],
      ] as const) {
        expect(await hub.updateHandler(of, id, change)).toBeNull();
        expect(await hub.deleteHandler(of, id)).toBe(false);
      }
      expect(await hub.findHandler(tenant, handler.id)).toEqual(handler);
    });

    test("a deleted handler is gone, and its records stay", async () => {
      const [handler, other] = [await fixture.createHandler(), await fixture.createHandler()];
      const event = await fixture.createEvent();
      const before = await fixture.hub.recordsOf(fixture.tenant, event.id);
      expect(before).toHaveLength(2);
      expect(await fixture.hub.deleteHandler(fixture.tenant, handler.id)).toBe(true);
      expect(await fixture.hub.deleteHandler(fixture.tenant, handler.id)).toBe(false);
      expect(await fixture.hub.findHandler(fixture.tenant, handler.id)).toBeNull();
      expect(await list()).toEqual({ items: [other], total: 1 });
      expect(await fixture.hub.recordsOf(fixture.tenant, event.id)).toEqual(before);
      expect(await fixture.claim(event.receivedAt)).toHaveLength(2);
    });
  });
}

import { describe, expect, test } from "vitest";
import type { StorageHarness } from "../harness.ts";
import { LOOKALIKES } from "../service/lookalikes.ts";
import { planEach, useHub } from "./hub-fixture.ts";

/** 255 characters of four bytes each that no compression makes shorter. */
function widest(seed: number): string {
  let state = seed;
  return Array.from({ length: 255 }, () => {
    state = (state * 48_271) % 0x7fffffff;
    return String.fromCodePoint(0x20000 + (state % 0xa000));
  }).join("");
}

/** Sources, senders and tenants are told apart byte by byte. */
export function hubNameTests(harness: StorageHarness): void {
  describe("names", () => {
    const fixture = useHub(harness);
    const all = { limit: 1_000, offset: 0 };

    test("sources that look alike share nothing", async () => {
      await fixture.hub.createEvents(
        LOOKALIKES.map((source) => fixture.newEvent({ source, content: source })),
        () => [],
      );
      for (const source of LOOKALIKES) {
        await fixture.createHandler({ source, prompt: source });
        await fixture.createIdentity({ source, name: source });
      }
      for (const source of LOOKALIKES) {
        const { tenant, hub } = fixture;
        const one = { items: [{ source }], total: 1 };
        expect(await hub.listEvents(tenant, { ...all, source })).toMatchObject({
          items: [{ content: source, identity: { name: source } }],
          total: 1,
        });
        const { items } = await hub.listEventsSince(tenant, source, { since: new Date(0), limit: 9, bytes: 1_000_000 });
        expect(items).toMatchObject([{ content: source }]);
        expect(await hub.listHandlers(tenant, { ...all, source })).toMatchObject(one);
        expect(await hub.listIdentities(tenant, { ...all, source })).toMatchObject(one);
        expect(await hub.findIdentityBySource(tenant, source, "u1")).toMatchObject({ name: source });
      }
    });

    test("senders that look alike share nothing", async () => {
      for (const sender of LOOKALIKES) {
        expect((await fixture.hub.upsertIdentity(fixture.newIdentity({ sourceId: sender, name: sender }))).isNew).toBe(true);
      }
      await fixture.hub.createEvents(
        LOOKALIKES.map((sender) => fixture.newEvent({ sender })),
        () => [],
      );
      for (const sender of LOOKALIKES) {
        const { items, total } = await fixture.hub.listEvents(fixture.tenant, { ...all, sender });
        expect([items.map((event) => [event.sender, event.identity?.name]), total]).toEqual([[[sender, sender]], 1]);
        expect(await fixture.hub.findIdentityBySource(fixture.tenant, "mail", sender)).toMatchObject({ sourceId: sender });
      }
    });

    test("tenants that look alike share nothing", async () => {
      const tenants = LOOKALIKES.map((name) => `${fixture.tenant} ${name}`);
      for (const tenant of tenants) {
        await fixture.createHandler({ tenant });
        await fixture.createIdentity({ tenant, name: tenant });
      }
      const events = tenants.map((tenant) => fixture.newEvent({ tenant }));
      const records = await fixture.hub.createEvents(events, planEach);
      expect(records.map((of) => of.length)).toEqual(tenants.map(() => 1));
      for (const [index, tenant] of tenants.entries()) {
        const { items, total } = await fixture.hub.listEvents(tenant, all);
        expect([items.map(({ id, identity }) => [id, identity?.name]), total]).toEqual([[[events[index]?.id, tenant]], 1]);
        expect((await fixture.hub.listHandlers(tenant, all)).total).toBe(1);
        expect((await fixture.hub.listIdentities(tenant, all)).total).toBe(1);
      }
    });

    test("the longest names in the widest characters work", async () => {
      const { tenant: short, hub } = fixture;
      const tenant = [...`${short} ${widest(7)}`].slice(0, 255).join("");
      const [source, sourceId, name] = [widest(11), widest(13), widest(17)];
      const handler = await fixture.createHandler({ tenant, source });
      const identity = await fixture.createIdentity({ tenant, source, sourceId, name });
      expect(await hub.upsertIdentity({ ...identity, metadata: null })).toEqual({ identity, isNew: false });
      const event = fixture.newEvent({ tenant, source, sender: sourceId });
      expect((await hub.createEvents([event], planEach))[0]).toMatchObject([{ handlerId: handler.id }]);
      const expected = { items: [{ ...event, identity: { id: identity.id, name } }], total: 1 };
      expect(await hub.listEvents(tenant, { ...all, source, sender: sourceId })).toEqual(expected);
      expect(await hub.findIdentityBySource(tenant, source, sourceId)).toEqual(identity);
      expect(await hub.listIdentities(tenant, { ...all, name: name.slice(100, 200) })).toEqual({ items: [identity], total: 1 });
    });
  });
}

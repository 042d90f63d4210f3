import { describe, expect, test } from "vitest";
import { expectAllDifferent } from "../full.ts";
import type { StorageHarness } from "../harness.ts";
import { fullEnd, fullEvent, fullHandler, fullIdentity, fullRecord, later, madeRecord, planEach, present, useHub } from "./hub-fixture.ts";

const ALL = { limit: 10, offset: 0 };
const EVERYTHING = { since: new Date(0), limit: 10, bytes: 1_000_000 };

/** Each way to read the hub's kinds keeps every field. */
export function hubRoundTripTests(harness: StorageHarness): void {
  describe("every field of the hub's", () => {
    const fixture = useHub(harness);

    test("handlers is read back by every way to read", async () => {
      const { hub, tenant } = fixture;
      const handler = fullHandler(fixture);
      await hub.createHandler(handler);
      expect(await hub.findHandler(tenant, handler.id)).toEqual(handler);
      expect((await hub.listHandlers(tenant, ALL)).items).toEqual([handler]);
      const seen: unknown[] = [];
      await hub.createEvents([fullEvent(fixture)], (_, handlers) => {
        seen.push(...handlers);
        return [];
      });
      expect(seen).toEqual([handler]);
      expectAllDifferent(handler);
    });

    test("identities is read back by every way to read", async () => {
      const { hub, tenant } = fixture;
      const identity = fullIdentity(fixture);
      expect(await hub.upsertIdentity(identity)).toEqual({ identity, isNew: true });
      expect(await hub.upsertIdentity({ ...identity, metadata: null })).toEqual({ identity, isNew: false });
      expect(await hub.findIdentity(tenant, identity.id)).toEqual(identity);
      expect(await hub.findIdentityBySource(tenant, identity.source, identity.sourceId)).toEqual(identity);
      expect((await hub.listIdentities(tenant, ALL)).items).toEqual([identity]);
      expectAllDifferent(identity);
    });

    test("events is read back by every way to read", async () => {
      const { hub, tenant } = fixture;
      const [event, { id, name, ...identity }] = [fullEvent(fixture), fullIdentity(fixture)];
      await hub.upsertIdentity({ id, name, ...identity });
      await hub.createHandler(fullHandler(fixture));
      await hub.createEvents([event], planEach);
      const identified = { ...event, identity: { id, name } };
      expect(await hub.findEvents(tenant, [event.id])).toEqual([identified]);
      expect((await hub.listEvents(tenant, ALL)).items).toEqual([identified]);
      expect((await hub.listEvents(tenant, { ...ALL, source: event.source, sender: event.sender })).items).toEqual([identified]);
      expect(await hub.listEventsSince(tenant, event.source, EVERYTHING)).toEqual({ items: [event], next: null });
      expect((await fixture.claim(later(0))).map((one) => one.event)).toEqual([identified]);
      expectAllDifferent(event);
    });

    test("records is read back by every way to read, when made, claimed and ended", async () => {
      const { hub, tenant } = fixture;
      const [event, handler] = [fullEvent(fixture), fullHandler(fixture)];
      await hub.createHandler(handler);
      const [[made] = []] = await hub.createEvents([event], planEach);
      const { id, prompt } = present(made);
      expect(made).toEqual(madeRecord(event, { id, handlerId: handler.id, prompt: handler.prompt }));
      expect([prompt, await hub.findRecords(tenant, [id])]).toEqual([handler.prompt, [made]]);
      const claimed = present((await fixture.claim(later(0)))[0]);
      expect(claimed.record).toEqual({ ...made, status: "PROCESSING", attempt: 1 });
      expect((await hub.leases.leasedTo("worker")).map(({ record }) => record)).toEqual([claimed.record]);
      // Past the lease, as an end with `lostAt` is of a worker that is lost.
      const [endedAt, end] = [later(120), fullEnd(claimed, later(60))];
      const { source, ...record } = fullRecord(event, handler, { id, endedAt });
      expect(await hub.endRecords("worker", [end], endedAt)).toEqual([{ source, ...record }]);
      expect(await hub.recordsOf(tenant, event.id)).toEqual([record]);
      expect(await hub.findRecords(tenant, [id])).toEqual([record]);
      expect(await hub.listSettledSince(tenant, source, EVERYTHING)).toEqual({ items: [{ source, ...record }], next: null });
      expectAllDifferent(end);
      expectAllDifferent(record);
    });
  });
}

import { describe, expect, test } from "vitest";
import { at } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { sweepAll } from "../steps.ts";
import { ended, later, planEach, planSome, useHub } from "./hub-fixture.ts";

/** The promises of `sweep`. */
export function hubSweepingTests(harness: StorageHarness): void {
  describe("sweeping events", () => {
    const fixture = useHub(harness);

    test("old events with nothing left to process go, step by step, with their records", async () => {
      const settled = await fixture.createEvent({}, planSome(2));
      const records = await fixture.hub.recordsOf(fixture.tenant, settled.id);
      const claimed = await fixture.claim(later(0));
      await fixture.hub.endRecords(
        "worker",
        claimed.map((one) => ended(one)),
        later(1),
      );
      const bare = await fixture.createEvent({ tenant: `${fixture.tenant} (other)` });
      await fixture.hub.acknowledgeEvent(bare.tenant, bare.id, { client: "c", at: at(1) });
      const open = await fixture.createEvent({}, planSome(1));
      const young = await fixture.createEvent();
      const step = (after: string | null) => fixture.hub.sweep(young.receivedAt, { after, limit: 1 });
      expect(await sweepAll(step)).toBe(2);
      const left = await fixture.hub.findEvents(fixture.tenant, [settled.id, open.id, young.id]);
      expect(left.map(({ id }) => id).sort()).toEqual([open.id, young.id].sort());
      expect(await fixture.hub.findEvents(bare.tenant, [bare.id])).toEqual([]);
      expect(await fixture.base.storage.activity.find(fixture.tenant, settled.id)).toBeNull();
      const ids = records.map(({ id }) => id);
      expect(ids).toHaveLength(2);
      expect(await fixture.hub.findRecords(fixture.tenant, ids)).toEqual([]);
      expect(await fixture.hub.recordsOf(fixture.tenant, open.id)).toMatchObject([{ status: "PENDING" }]);
      expect(await sweepAll(step)).toBe(0);
    });

    test("long prompts are read back by every way to read, shared by records or not, as long as any record has them", async () => {
      const { hub, tenant } = fixture;
      const [long, changed] = ["Do it. ".repeat(5_000), "Do it well. ".repeat(5_000)];
      const [shared, own] = [await fixture.createHandler({ prompt: long }), await fixture.createHandler({ prompt: "Short" })];
      const first = await fixture.createEvent();
      await hub.updateHandler(tenant, own.id, { prompt: changed, at: later(0) });
      const event = fixture.newEvent();
      const foreign = fixture.newEvent({ tenant: `${tenant} (other)` });
      await hub.createHandler(fixture.newHandler({ tenant: foreign.tenant, prompt: long }));
      const promptsOf = (records: readonly { readonly handlerId: string; readonly prompt: string }[]) =>
        [...records].map(({ handlerId, prompt }) => [handlerId, prompt]).sort();
      const [made = [], [theirs] = []] = await hub.createEvents([event, foreign], planEach);
      const expected = [
        [shared.id, long],
        [own.id, changed],
      ].sort();
      expect(promptsOf(made)).toEqual(expected);
      expect(theirs?.prompt).toBe(long);
      expect(promptsOf(await hub.recordsOf(tenant, event.id))).toEqual(expected);
      expect(promptsOf(await hub.recordsOf(tenant, first.id))).toEqual(
        [
          [shared.id, long],
          [own.id, "Short"],
        ].sort(),
      );
      const ids = made.map(({ id }) => id);
      expect(promptsOf(await hub.findRecords(tenant, ids))).toEqual(expected);
      expect(await hub.findRecords(tenant, ids, 1)).toHaveLength(1);
      const claimed = (await fixture.claim(later(0))).filter(({ event: { id } }) => id === event.id);
      expect(promptsOf(claimed.map(({ record }) => record))).toEqual(expected);
      const leased = (await hub.leases.leasedTo("worker")).filter(({ event: { id } }) => id === event.id);
      expect(promptsOf(leased.map(({ record }) => record))).toEqual(expected);
      const ends = claimed.map((one) => ended(one));
      expect(promptsOf(await hub.endRecords("worker", ends, later(1)))).toEqual(expected);
      const range = { since: later(1), limit: 10, bytes: 1_000_000 };
      expect(promptsOf((await hub.listSettledSince(tenant, "mail", range)).items)).toEqual(expected);
      expect((await hub.listSettledSince(tenant, "mail", { ...range, bytes: 1 })).items).toHaveLength(1);
      await sweepAll((after) => hub.sweep(foreign.receivedAt, { after, limit: 10 }));
      expect(promptsOf(await hub.recordsOf(tenant, first.id))).toEqual(
        [
          [shared.id, long],
          [own.id, "Short"],
        ].sort(),
      );
      expect((await hub.recordsOf(foreign.tenant, foreign.id)).map(({ prompt }) => prompt)).toEqual([long]);
      expect(await hub.recordsOf(tenant, event.id)).toEqual([]);
    });
  });
}

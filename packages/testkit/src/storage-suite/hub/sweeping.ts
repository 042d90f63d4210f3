import { describe, expect, test } from "vitest";
import { at } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { sweepAll } from "../steps.ts";
import { ended, later, planSome, useHub } from "./hub-fixture.ts";

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
  });
}

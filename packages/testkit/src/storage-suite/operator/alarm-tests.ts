import type { AlarmKind } from "@belfry/core";
import { systemClock, uuidV7 } from "@belfry/core";
import type { AlarmChange } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

/** The promises of alarms. */
export function alarmTests(harness: StorageHarness): void {
  describe("alarms", () => {
    const fixture = useFixture(harness);
    const ids = uuidV7(systemClock);
    const alarms = () => fixture.storage.alarms;
    const change = (seconds: number, fields: Partial<AlarmChange> = {}): AlarmChange => ({
      ...{ tenant: fixture.tenant, kind: "oldest_due", channel: "email", id: ids.next(), value: 400_000, line: 300_000, at: at(seconds) },
      ...fields,
    });

    /** Takes what others left, and returns what is this test's. */
    async function untold(seconds: number, maxTimes = 3) {
      for (;;) {
        const taken = await alarms().takeUntold(at(seconds), { leaseMs: 10_000, maxTimes });
        if (taken === null || taken.tenant === fixture.tenant) {
          return taken;
        }
        await alarms().told(taken.id, at(seconds));
      }
    }

    test("of several processes, one takes the turn to look, until it is over", async () => {
      const turns = await Promise.all([1, 2, 3].map(() => alarms().takeTurn(fixture.tenant, at(10), at(40))));
      expect(turns.toSorted()).toEqual([false, false, true]);
      expect(await alarms().takeTurn(fixture.tenant, at(39), at(70))).toBe(false);
      expect(await alarms().takeTurn(fixture.tenant, at(40), at(70))).toBe(true);
      fixture.nextTenant();
      expect(await alarms().takeTurn(fixture.tenant, at(41), at(70))).toBe(true);
      expect(await alarms().raised(fixture.tenant)).toEqual([]);
    });

    test("of several processes, one raises an alarm, and one ends it", async () => {
      const raises = await Promise.all([1, 2, 3].map(() => alarms().raise(change(10))));
      expect(raises.toSorted()).toEqual([false, false, true]);
      const kinds: readonly AlarmKind[] = ["failure_rate", "lag"];
      for (const kind of kinds) {
        expect(await alarms().raise(change(11, { kind, value: 501, line: 500 }))).toBe(true);
      }
      expect((await alarms().raised(fixture.tenant)).map(({ kind }) => kind)).toEqual(["failure_rate", "lag", "oldest_due"]);
      const ends = await Promise.all([1, 2, 3].map(() => alarms().end(change(20, { value: 5 }))));
      expect(ends.toSorted()).toEqual([false, false, true]);
      expect(await alarms().end(change(21, { channel: "sms" }))).toBe(false);
      expect((await alarms().raised(fixture.tenant)).map(({ kind }) => kind)).toEqual(["failure_rate", "lag"]);
      expect(await alarms().raise(change(30))).toBe(true);
      expect((await alarms().raised(fixture.tenant)).at(-1)).toMatchObject({ kind: "oldest_due", raisedAt: at(30), endedAt: null });
    });

    test("every field is read back", async () => {
      const raised = change(10);
      await alarms().raise(raised);
      const { id, tenant, kind, channel, value, line } = raised;
      const kept = { id, tenant, kind, channel, value, line, state: "raised", raisedAt: at(10), endedAt: null };
      expect(await alarms().raised(fixture.tenant)).toEqual([kept]);
      const ended = change(20, { value: 7, line: 8 });
      await alarms().end(ended);
      expect(await untold(20)).toEqual({ ...kept, id: ended.id, value: 7, line: 8, state: "ended", endedAt: at(20) });
    });

    test("a state is told by one process at a time, so many times, and not after it was told or has changed", async () => {
      const raised = change(10);
      await alarms().raise(raised);
      expect((await untold(10))?.id).toBe(raised.id);
      expect(await untold(19)).toBeNull();
      expect((await untold(20))?.id).toBe(raised.id);
      expect(await untold(40, 2)).toBeNull();
      const ended = change(41);
      await alarms().end(ended);
      expect(await alarms().told(raised.id, at(41))).toBe(false);
      expect((await untold(41))?.id).toBe(ended.id);
      expect(await alarms().told(ended.id, at(42))).toBe(true);
      expect(await untold(100)).toBeNull();
    });
  });
}

import type { RecordState, RecordSummary } from "@belfry/core";
import type { RecordPlace, RecordQuery } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import type { StorageHarness } from "../harness.ts";
import { ended, later, planSome, present, useHub } from "./hub-fixture.ts";

/** The promises of finding records, and of having them run again. */
export function searchingTests(harness: StorageHarness): void {
  describe("finding records", () => {
    const fixture = useHub(harness);

    /** All that a search finds, in pages of three. */
    async function found(query: Partial<RecordQuery> = {}) {
      const records: RecordSummary[] = [];
      let after: RecordPlace | null = null;
      do {
        const part: Awaited<ReturnType<typeof fixture.hub.searchRecords>> = await fixture.hub.searchRecords(fixture.tenant, {
          limit: 3,
          ...query,
          after,
        });
        records.push(...part.records);
        after = part.next;
      } while (after !== null);
      return records;
    }

    const promptsOf = async (query: Partial<RecordQuery> = {}) => (await found(query)).map(({ prompt }) => prompt);

    /** Ends all that is due, but for the first, which stays with its worker; the last two fail, for now or for good. */
    async function process(): Promise<void> {
      const [, completed, again, failed] = await fixture.claim(later(0), { owner: "w", limit: 4 });
      await fixture.hub.endRecords(
        "w",
        [
          ended(present(completed)),
          ended(present(again), { status: "PENDING", result: null, error: "Too many requests", dueInMs: 60_000 }),
          ended(present(failed), { status: "FAILED", result: null, error: "The model REFUSED." }),
        ],
        later(1),
      );
    }

    test("records are found by their state, newest first, each with its event", async () => {
      const event = await fixture.createEvent({ sender: "u7", content: "x".repeat(300) }, planSome(5));
      await process();
      const states: readonly (readonly [RecordState, string])[] = [
        ["running", "prompt 0"],
        ["completed", "prompt 1"],
        ["retrying", "prompt 2"],
        ["failed", "prompt 3"],
        ["due", "prompt 4"],
      ];
      for (const [state, prompt] of states) {
        expect([state, await found({ state })]).toEqual([
          state,
          [expect.objectContaining({ state, prompt, notificationId: event.id, source: "mail", sender: "u7", excerpt: "x".repeat(200) })],
        ]);
      }
      expect(await promptsOf()).toEqual([4, 3, 2, 1, 0].map((place) => `prompt ${place}`));
      expect((await found({ state: "retrying" }))[0]?.dueAt).not.toBe(null);
      expect((await found({ state: "failed" }))[0]).toMatchObject({ error: "The model REFUSED.", dueAt: null, attempt: 1 });
    });

    test("filters hold together, and pages go on past events without records", async () => {
      const kept = await fixture.createRecords(4);
      for (let count = 0; count < 5; count += 1) {
        await fixture.createEvent({}, planSome(0));
      }
      const [other] = await fixture.createRecords(1, { source: "shop" });
      await process();
      expect(await promptsOf()).toEqual(["prompt 0", "prompt 3", "prompt 2", "prompt 1", "prompt 0"]);
      expect(await promptsOf({ source: "shop" })).toEqual(["prompt 0"]);
      expect(await promptsOf({ handlerId: kept[3]?.handlerId.toUpperCase() ?? "" })).toEqual(["prompt 3"]);
      expect(await promptsOf({ error: "refused" })).toEqual(["prompt 3"]);
      expect(await promptsOf({ state: "failed", error: "too many" })).toEqual([]);
      expect(await promptsOf({ from: other?.createdAt ?? new Date() })).toEqual(["prompt 0"]);
      expect(await promptsOf({ before: other?.createdAt ?? new Date(), state: "due" })).toEqual([]);
      expect((await fixture.hub.searchRecords(`${fixture.tenant} other`, { after: null, limit: 9 })).records).toEqual([]);
    });

    test("one that failed runs again with all its attempts, one that waits runs now, and others are left alone", async () => {
      await fixture.createRecords(5);
      await process();
      const all = await found();
      const idOf = (prompt: string) => all.find((record) => record.prompt === prompt)?.id ?? "";
      for (const [prompt, isRetried] of [
        ["prompt 0", false],
        ["prompt 1", false],
        ["prompt 2", true],
        ["prompt 3", true],
        ["prompt 4", false],
      ] as const) {
        expect([prompt, await fixture.hub.retryRecord(fixture.tenant, idOf(prompt))]).toEqual([prompt, isRetried]);
      }
      expect(await fixture.hub.retryRecord(`${fixture.tenant} other`, idOf("prompt 3"))).toBe(false);
      const again = await fixture.claim(later(2), { owner: "w" });
      expect(again.map(({ record }) => [record.prompt, record.attempt]).sort()).toEqual([
        ["prompt 2", 1],
        ["prompt 3", 1],
        ["prompt 4", 1],
      ]);
      await fixture.hub.endRecords(
        "w",
        again.map((claimed) => ended(claimed)),
        later(3),
      );
      expect(await promptsOf({ state: "failed" })).toEqual([]);
      expect((await found({ state: "completed" })).map(({ error }) => error)).toEqual([null, null, null, null]);
    });
  });
}

import type { ProcessingRecord, SourceRecord } from "@belfry/core";
import type { EndedRecord } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import type { StorageHarness } from "../harness.ts";
import { ended, later, planSome, present, useHub } from "./hub-fixture.ts";

/** The promises of claiming records and ending attempts at them. */
export function processingTests(harness: StorageHarness): void {
  describe("processing", () => {
    const fixture = useHub(harness);
    const prompts = (claimed: readonly { readonly record: ProcessingRecord }[]) => claimed.map(({ record }) => record.prompt);

    test("due records are leased once, oldest first, with their prompt and event", async () => {
      const first = await fixture.createEvent({ sender: "u2" }, planSome(2));
      const second = await fixture.createEvent({ content: "Second" }, planSome(1));
      const made = [...(await fixture.hub.recordsOf(first.tenant, first.id)), ...(await fixture.hub.recordsOf(second.tenant, second.id))];
      const claimed = await fixture.claim(later(0));
      expect(claimed).toEqual(
        made.map((record, index) => ({
          record: { ...record, status: "PROCESSING", attempt: 1 },
          fence: 1,
          event: { ...(index < 2 ? first : second), identity: null },
        })),
      );
      expect(await fixture.hub.recordsOf(first.tenant, first.id)).toEqual(claimed.slice(0, 2).map(({ record }) => record));
      expect(await fixture.claim(later(1))).toEqual([]);
    });

    test("records are due when their event was received, at once", async () => {
      const event = await fixture.createEvent({}, planSome(1));
      expect(await fixture.hub.leases.nextDueInMs(event.receivedAt)).toBe(0);
      expect(await fixture.claim(event.receivedAt)).toHaveLength(1);
    });

    test("records above the limit, or of a tenant that is left out, stay", async () => {
      await fixture.createRecords(3);
      const tenant = `${fixture.tenant} (other)`;
      await fixture.createRecords(1, { tenant });
      expect(await fixture.claim(later(0), { limit: 0 })).toEqual([]);
      expect(prompts(await fixture.claim(later(0), { limit: 2 }))).toEqual(["prompt 0", "prompt 1"]);
      expect(await fixture.claim(later(0), { exceptTenants: [fixture.tenant, tenant] })).toEqual([]);
      const rest = await fixture.claim(later(0), { exceptTenants: [fixture.tenant] });
      expect(rest.map(({ record }) => record.tenant)).toEqual([tenant]);
      expect(prompts(await fixture.claim(later(0)))).toEqual(["prompt 2"]);
    });

    test("a tenant that is left out hides nobody, however many records it has in front of theirs", async () => {
      await fixture.createRecords(1_100);
      const [one, two] = [`${fixture.tenant} one`, `${fixture.tenant} two`];
      const order = [two, one, two, one, two];
      for (const tenant of order) {
        await fixture.createRecords(2, { tenant });
      }
      const request = { exceptTenants: [fixture.tenant] };
      const claimed = [...(await fixture.claim(later(0), { ...request, limit: 3 })), ...(await fixture.claim(later(0), request))];
      expect(claimed.map(({ record }) => [record.tenant, record.prompt])).toEqual(
        order.flatMap((tenant) => [
          [tenant, "prompt 0"],
          [tenant, "prompt 1"],
        ]),
      );
      expect(await fixture.claim(later(0), request)).toEqual([]);
      expect((await fixture.claim(later(0), { exceptTenants: [one], limit: 2 })).map(({ record }) => record.tenant)).toEqual([
        fixture.tenant,
        fixture.tenant,
      ]);
    });

    test("a completed record keeps its result, its tokens and its time, and is never claimed again", async () => {
      await fixture.createRecords(1);
      const [claimed] = await fixture.claim(later(0));
      const end = ended(present(claimed), { result: "Ünï 😀\n'; --", inputTokens: 12, outputTokens: 0 });
      const expected = {
        ...claimed?.record,
        status: "COMPLETED",
        result: "Ünï 😀\n'; --",
        inputTokens: 12,
        outputTokens: 0,
        completedAt: later(5),
      };
      expect(await fixture.hub.endRecords("worker", [end], later(5))).toEqual([{ ...expected, source: "mail" }]);
      expect(await fixture.hub.findRecords(fixture.tenant, [end.id])).toEqual([expected]);
      expect(await fixture.claim(later(9_999))).toEqual([]);
      expect(await fixture.endLost(later(9_999))).toEqual([]);
      expect(await fixture.hub.leases.nextDueInMs(later(9_999))).toBeNull();
    });

    test("a failed record keeps its error", async () => {
      await fixture.createRecords(1);
      const [claimed] = await fixture.claim(later(0));
      const end = ended(present(claimed), { status: "FAILED", result: null, error: "No model 😀" });
      const [settled] = await fixture.hub.endRecords("worker", [end], later(5));
      expect(settled).toEqual({
        ...claimed?.record,
        status: "FAILED",
        error: "No model 😀",
        completedAt: later(5),
        source: "mail",
      });
      expect(await fixture.claim(later(9_999))).toEqual([]);
    });

    test("a record that is tried again is due when its time has come, and its attempts count on", async () => {
      await fixture.createRecords(1);
      const [first] = await fixture.claim(later(0));
      const again = ended(present(first), { status: "PENDING", result: null, error: "429", dueInMs: 30_000 });
      const [pending] = await fixture.hub.endRecords("worker", [again], later(10));
      expect(pending).toEqual({ ...first?.record, status: "PENDING", error: "429", source: "mail" });
      expect(await fixture.hub.leases.nextDueInMs(later(10))).toBe(30_000);
      expect(await fixture.claim(later(39))).toEqual([]);
      const [second] = await fixture.claim(later(40));
      expect(second).toMatchObject({ record: { status: "PROCESSING", attempt: 2, completedAt: null }, fence: 2 });
      const [done] = await fixture.hub.endRecords("worker", [ended(present(second))], later(41));
      expect(done).toMatchObject({ status: "COMPLETED", result: "done", error: null, attempt: 2 });
    });

    test("several attempts end in one call, each in its own way", async () => {
      await fixture.createRecords(2);
      await fixture.createRecords(2, { source: "chat", tenant: `${fixture.tenant} (other)` });
      const claimed = await fixture.claim(later(0));
      const ways = [
        { status: "COMPLETED", result: "r" },
        { status: "FAILED", result: null, error: "e" },
        { status: "PENDING", result: null, error: "t", dueInMs: 0 },
        { status: "COMPLETED", result: "" },
      ] as const;
      const ends = claimed.map((one, index) => ended(one, ways[index]));
      const settled = new Map((await fixture.hub.endRecords("worker", ends.toReversed(), later(1))).map((one) => [one.id, one]));
      expect(claimed.map(({ record }) => settled.get(record.id))).toMatchObject([
        { status: "COMPLETED", result: "r", error: null, source: "mail" },
        { status: "FAILED", result: null, error: "e", source: "mail" },
        { status: "PENDING", result: null, error: "t", source: "chat", completedAt: null },
        { status: "COMPLETED", result: "", error: null, source: "chat" },
      ]);
      expect(settled.size).toBe(4);
      expect(await fixture.hub.endRecords("worker", [], later(2))).toEqual([]);
    });

    test("only the owner and the fence that hold the lease can end an attempt, once", async () => {
      await fixture.createRecords(2);
      const [one, two] = await fixture.claim(later(0));
      const end = ended(present(one));
      const { hub } = fixture;
      expect(await hub.endRecords("another", [end], later(1))).toEqual([]);
      expect(await hub.endRecords("worker", [{ ...end, fence: 0 }], later(1))).toEqual([]);
      expect(await hub.endRecords("worker", [{ ...end, fence: 2 }], later(1))).toEqual([]);
      expect(
        await hub.endRecords(
          "worker",
          [
            { ...end, id: "unknown" },
            { ...end, id: crypto.randomUUID() },
          ],
          later(1),
        ),
      ).toEqual([]);
      expect(await hub.findRecords(fixture.tenant, [end.id])).toEqual([one?.record]);
      const both = [{ ...end, fence: 9 }, ended(present(two))];
      expect((await hub.endRecords("worker", both, later(1))).map(({ id }) => id)).toEqual([two?.record.id]);
      expect(await hub.endRecords("worker", [end], later(2))).toHaveLength(1);
      expect(await hub.endRecords("worker", [{ ...end, result: "again" }], later(3))).toEqual([]);
      expect(await hub.findRecords(fixture.tenant, [end.id])).toMatchObject([{ result: "done", completedAt: later(2) }]);
    });

    test("a result is kept to the letter, however long", async () => {
      await fixture.createRecords(2);
      const [one, two] = await fixture.claim(later(0));
      const result = "𝒶\u0001\u2028'\"\\".repeat(20_000);
      const ends = [ended(present(one), { result }), ended(present(two), { status: "FAILED", result: null, error: result })];
      await fixture.hub.endRecords("worker", ends, later(1));
      const [first] = await fixture.hub.findRecords(fixture.tenant, [one?.record.id ?? ""]);
      const [second] = await fixture.hub.findRecords(fixture.tenant, [two?.record.id ?? ""]);
      expect([first?.result === result, second?.error === result]).toEqual([true, true]);
    });

    test("records of one source that settled since a time are listed, first settled first", async () => {
      await fixture.createRecords(4);
      await fixture.createRecords(1, { source: "chat" });
      await fixture.createRecords(1, { tenant: `${fixture.tenant} (other)` });
      const claimed = await fixture.claim(later(0));
      const seconds = [30, 10, 20, null, 15, 16];
      const settled: SourceRecord[] = [];
      for (const [index, one] of claimed.entries()) {
        const second = seconds[index];
        const way: Partial<EndedRecord> =
          second === null ? { status: "PENDING", result: null, dueInMs: 0 } : { status: index === 2 ? "FAILED" : "COMPLETED" };
        settled.push(...(await fixture.hub.endRecords("worker", [ended(one, way)], later(second ?? 25))));
      }
      const since = async (second: number, limit = 100, source = "mail") =>
        (await fixture.hub.listSettledSince(fixture.tenant, source, { since: later(second), limit, bytes: 1_000_000 })).items;
      expect(await since(0)).toEqual([settled[1], settled[2], settled[0]]);
      expect(await since(20)).toEqual([settled[2], settled[0]]);
      expect(await since(10, 2)).toEqual([settled[1], settled[2]]);
      expect(await since(31)).toEqual([]);
      expect(await since(0, 9, "chat")).toEqual([settled[4]]);
      expect(await since(0, 9, "none")).toEqual([]);
    });
  });
}

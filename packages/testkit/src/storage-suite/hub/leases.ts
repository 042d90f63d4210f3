import type { DueRequest } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import type { StorageHarness } from "../harness.ts";
import { ended, later, planSome, present, useHub } from "./hub-fixture.ts";

/** The promises of holding, losing and taking back the leases of records. */
export function leaseTests(harness: StorageHarness): void {
  describe("leases of records", () => {
    const fixture = useHub(harness);
    const statuses = (records: readonly { readonly status: string }[]) => records.map(({ status }) => status);

    test("a worker whose claim was not answered finds what it took", async () => {
      const event = await fixture.createEvent({}, planSome(3));
      await fixture.createIdentity();
      const one = await fixture.claim(later(0), { owner: "one", limit: 1 });
      const two = await fixture.claim(later(0), { owner: "two" });
      const leasedTo = async (owner: string) =>
        [...(await fixture.hub.leases.leasedTo(owner))].sort((a, b) => a.record.prompt.localeCompare(b.record.prompt));
      expect(await leasedTo("one")).toEqual(one);
      expect(await leasedTo("two")).toEqual(two);
      expect(await leasedTo("nobody")).toEqual([]);
      expect(two[0]?.event).toMatchObject({ id: event.id, identity: { name: "Ann" } });
      await fixture.hub.endRecords(
        "one",
        one.map((claimed) => ended(claimed)),
        later(1),
      );
      expect(await leasedTo("one")).toEqual([]);
      expect(await leasedTo("two")).toHaveLength(2);
    });

    test("a claim by name leases what is due of it, with its event, and nothing that has another fence", async () => {
      const event = await fixture.createEvent({}, planSome(3));
      const { leases } = fixture.hub;
      const request: DueRequest = { at: later(0), limit: 10, exceptTenants: [] };
      const due = (more: Partial<DueRequest> = {}) => leases.due({ ...request, ...more });
      const found = await due();
      expect(found).toEqual([0, 1, 2].map(() => ({ id: expect.any(String), tenant: fixture.tenant, fence: 1 })));
      expect([await due({ limit: 2 }), await due({ exceptTenants: [fixture.tenant] })]).toEqual([found.slice(0, 2), []]);
      const [one, two, three] = found;
      const named = [present(three), { ...present(one), fence: 2 }, { id: "unknown", fence: 1 }, present(two)];
      const given = { ...request, owner: "worker", leaseMs: 60_000 };
      expect(await leases.claimNamed(named, { ...given, exceptTenants: [fixture.tenant] })).toEqual([]);
      const [first, ...others] = await leases.claimNamed(named, { ...given, limit: 1 });
      expect([first?.record.prompt, others]).toEqual(["prompt 1", []]);
      const [last, ...more] = await leases.claimNamed(named, given);
      expect(last).toMatchObject({ record: { prompt: "prompt 2", status: "PROCESSING", attempt: 1 }, event: { id: event.id }, fence: 1 });
      expect(more).toEqual([]);
      expect(await due()).toEqual([one]);
    });

    test("a lease is prolonged for its holder alone", async () => {
      await fixture.createRecords(2);
      const [one, two] = await fixture.claim(later(0));
      const lease = { id: present(one).record.id, fence: 1 };
      const other = { id: present(two).record.id, fence: 1 };
      const { hub } = fixture;
      const options = { at: later(30), leaseMs: 60_000 };
      expect(await hub.leases.renew("another", [lease], options)).toEqual([]);
      const wrong = [
        { ...lease, fence: 0 },
        { ...lease, id: "unknown" },
        { ...lease, id: crypto.randomUUID() },
      ];
      expect(await hub.leases.renew("worker", wrong, options)).toEqual([]);
      expect(await hub.leases.renew("worker", [], options)).toEqual([]);
      expect(await hub.leases.renew("worker", [lease], options)).toEqual([lease]);
      expect((await fixture.endLost(later(61))).map(({ id }) => id)).toEqual([other.id]);
      expect(await fixture.endLost(later(89))).toEqual([]);
      expect(await hub.leases.renew("worker", [other, lease], { ...options, at: later(89) })).toEqual([lease]);
      expect(await fixture.endLost(later(148))).toEqual([]);
      expect(await fixture.endLost(later(150))).toHaveLength(1);
    });

    test("a lease that ran out is lost: tried again, or failed after too many attempts", async () => {
      await fixture.createRecords(1);
      const [first] = await fixture.claim(later(0));
      expect(await fixture.endLost(later(59), { maxAttempts: 2 })).toEqual([]);
      const [back] = await fixture.endLost(later(61), { maxAttempts: 2 });
      expect(back).toEqual({ ...first?.record, status: "PENDING", source: "mail" });
      expect(await fixture.endLost(later(61), { maxAttempts: 2 })).toEqual([]);
      expect(await fixture.hub.leases.nextDueInMs(later(61))).toBe(0);
      const [second] = await fixture.claim(later(61));
      expect(second).toMatchObject({ record: { attempt: 2 }, fence: 2 });
      const [failed] = await fixture.endLost(later(122), { maxAttempts: 2, error: "Lost 😀" });
      expect(failed).toEqual({ ...second?.record, status: "FAILED", error: "Lost 😀", completedAt: later(122), source: "mail" });
      expect(await fixture.hub.findRecords(fixture.tenant, [failed?.id ?? ""])).toMatchObject([{ status: "FAILED", error: "Lost 😀" }]);
      expect(await fixture.claim(later(9_999))).toEqual([]);
      const range = { since: later(122), limit: 9, bytes: 1_000_000 };
      expect((await fixture.hub.listSettledSince(fixture.tenant, "mail", range)).items).toEqual([failed]);
    });

    test("a worker's result for a lost record is ignored", async () => {
      await fixture.createRecords(1);
      const [first] = await fixture.claim(later(0));
      const stale = ended(present(first), { result: "stale" });
      await fixture.endLost(later(61));
      const lease = { id: stale.id, fence: stale.fence };
      const { hub } = fixture;
      expect(await hub.endRecords("worker", [stale], later(62))).toEqual([]);
      const [second] = await fixture.claim(later(62));
      expect(await hub.endRecords("worker", [stale], later(63))).toEqual([]);
      expect(await hub.leases.renew("worker", [lease], { at: later(63), leaseMs: 60_000 })).toEqual([]);
      const [settled] = await hub.endRecords("worker", [ended(present(second), { result: "fresh" })], later(64));
      expect(settled).toMatchObject({ status: "COMPLETED", result: "fresh", attempt: 2 });
    });

    test("a lease that ends later than any can, as when the clock went back, is lost", async () => {
      await fixture.createRecords(1);
      await fixture.claim(later(3_600));
      expect(await fixture.endLost(later(3_599))).toHaveLength(1);
      expect(statuses(await fixture.claim(later(3_599)).then((claimed) => claimed.map(({ record }) => record)))).toEqual(["PROCESSING"]);
    });

    test("leases of others are lost where only one process can hold any", async () => {
      await fixture.createRecords(3);
      const mine = await fixture.claim(later(0), { owner: "me", limit: 1 });
      const theirs = await fixture.claim(later(0), { owner: "another" });
      expect(await fixture.endLost(later(1))).toEqual([]);
      const back = await fixture.endLost(later(1), { notOwnedBy: "me" });
      expect(back.map(({ id }) => id).sort()).toEqual(theirs.map(({ record }) => record.id).sort());
      expect(await fixture.hub.leases.leasedTo("me")).toEqual(mine);
      expect(statuses(await fixture.endLost(later(61), { notOwnedBy: "me" }))).toEqual(["PENDING"]);
    });

    test("no more are ended at once than the limit", async () => {
      await fixture.createRecords(5);
      await fixture.claim(later(0));
      const taken: number[] = [];
      for (const _ of [1, 2, 3, 4]) {
        taken.push((await fixture.endLost(later(61), { limit: 2, maxAttempts: 1 })).length);
      }
      expect(taken).toEqual([2, 2, 1, 0]);
    });

    test("the storage knows the next time anything is due or a lease runs out", async () => {
      const { hub } = fixture;
      expect(await hub.leases.nextDueInMs(later(0))).toBeNull();
      const [record] = await fixture.createRecords(2);
      const createdAt = record?.createdAt.getTime() ?? 0;
      expect(await hub.leases.nextDueInMs(new Date(createdAt - 1_500))).toBe(1_500);
      expect(await hub.leases.nextDueInMs(later(0))).toBe(0);
      const [first] = await fixture.claim(later(0), { limit: 1 });
      expect(await hub.leases.nextDueInMs(later(0))).toBe(0);
      const [second] = await fixture.claim(later(10), { limit: 1 });
      expect(await hub.leases.nextDueInMs(later(20))).toBe(40_000);
      expect(await hub.leases.nextDueInMs(later(90))).toBe(0);
      const end = ended(present(first));
      await hub.endRecords("worker", [end], later(20));
      expect(await hub.leases.nextDueInMs(later(20))).toBe(50_000);
      const again = ended(present(second), { status: "PENDING", result: null, dueInMs: 7_000 });
      await hub.endRecords("worker", [again], later(20));
      expect(await hub.leases.nextDueInMs(later(21))).toBe(6_000);
    });
  });
}

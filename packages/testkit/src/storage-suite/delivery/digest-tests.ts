import type { Digest, EntryPlan } from "@belfry/core";
import { type ClaimedDigest, type DigestChange, FULL_WINDOW, type NewSend, type TakenEntry, type UntakenEntry } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { eraseAll, exportAll } from "../steps.ts";
import { claim, deliveriesOf, newSend } from "./send-entries.ts";

const HOUR_MS = 3_600_000;
const PLAN: EntryPlan = {
  ...{ by: "type", scope: "type", name: "note", key: "1", frequency: null, windowMs: HOUR_MS, maxWindowMs: null, leading: false },
};

/** The promises of digests and their windows. */
export function digestTests(harness: StorageHarness): void {
  describe("digests", () => {
    const fixture = useFixture(harness);
    const start = Date.UTC(2026, 6, 1);
    const later = (ms: number) => new Date(start + ms);
    let made = 0;
    const nextId = () => {
      made += 1;
      return `019b0000-0000-7000-8000-${made.toString(16).padStart(12, "0")}`;
    };

    function entrySend(plan: Partial<EntryPlan> = {}, more: { readonly to?: string; readonly dueInMs?: number } = {}): NewSend {
      const { to = "ann", dueInMs = 0 } = more;
      const send = newSend(fixture, { channel: "email", to: [to] });
      const waiting = { recipientKind: "user", reason: "digest", reasonSource: "type", dueInMs, digest: { ...PLAN, ...plan } } as const;
      return { ...send, deliveries: send.deliveries.map((one) => ({ ...one, ...waiting })) };
    }

    async function write(plan: Partial<EntryPlan> = {}, more: { readonly to?: string; readonly dueInMs?: number } = {}): Promise<string> {
      const send = entrySend(plan, more);
      await deliveriesOf(fixture).createSends([send], later(0));
      return send.deliveries[0]?.id ?? "";
    }

    /** The entries of this test that are in no window. */
    async function untaken(at: Date): Promise<readonly UntakenEntry[]> {
      return (await fixture.storage.digests.untaken(10_000, at)).filter(({ tenant }) => tenant === fixture.tenant);
    }

    /** Puts entries into windows, as core does. */
    async function take(
      entries: readonly UntakenEntry[],
      at: Date,
      { token = nextId(), closingAt }: { readonly token?: string; readonly closingAt?: Date } = {},
    ): Promise<void> {
      const groups = Map.groupBy(entries, ({ userId, plan }) => JSON.stringify([userId, plan.name, plan.key]));
      const taken = [...groups.values()].flatMap((group): readonly TakenEntry[] => {
        const digestId = nextId();
        return group.map((entry) => {
          const { windowMs, maxWindowMs } = entry.plan;
          const lastAt = maxWindowMs === null ? null : new Date(at.getTime() + maxWindowMs);
          return { ...entry, digestId, openedAt: at, closesAt: closingAt ?? new Date(at.getTime() + (windowMs ?? 0)), lastAt };
        });
      });
      await fixture.storage.digests.take(taken, at, token);
    }

    async function claimDue(at: Date, owner = "worker"): Promise<readonly ClaimedDigest[]> {
      const all = await fixture.storage.digests.leases.claim({ owner, at, leaseMs: 60_000, limit: 1_000, exceptTenants: [] });
      return all.filter(({ digest }) => digest.tenant === fixture.tenant);
    }

    async function digestsOf(ids: readonly string[]): Promise<readonly (Digest | undefined)[]> {
      const found = await fixture.storage.digests.digestsOf(fixture.tenant, ids);
      return ids.map((id) => found.get(id));
    }

    /** Ends a claimed digest, and returns whether its lease was still held, with the chains that were loaded. */
    async function end(
      { id, fence, digest }: ClaimedDigest,
      change: Partial<DigestChange>,
      owner = "worker",
    ): Promise<readonly string[] | null> {
      let seen: readonly string[] | null = null;
      await deliveriesOf(fixture).settle({ kind: "digest", id, fence, owner }, later(0), (loaded) => {
        seen = loaded.flatMap(({ chains }) => chains.flatMap((chain) => chain.map((one) => one.id)));
        return { deliveries: [], attempts: [], sends: [], audit: [], digests: [{ ...digest, dueAt: null, places: null, ...change }] };
      });
      return seen;
    }

    test("entries are pending deliveries that nobody claims, and wait for their time to be put into a window", async () => {
      const [soon, late] = [await write(), await write({}, { dueInMs: 5_000 })];
      expect(await claim(fixture, later(HOUR_MS))).toEqual([]);
      expect(await untaken(later(0))).toEqual([
        { deliveryId: soon, tenant: fixture.tenant, userId: "ann", channel: "email", plan: { ...PLAN }, dueAt: later(0) },
      ]);
      expect((await untaken(later(5_000))).map(({ deliveryId }) => deliveryId)).toEqual([soon, late]);
      expect(await fixture.storage.digests.leases.nextDueInMs(later(-1_000))).toBeLessThanOrEqual(1_000);
    });

    test("two entries of one place share a window, however they are taken; other users and keys have their own", async () => {
      const ids = [await write(), await write(), await write({ key: "2" }), await write({}, { to: "bob" })];
      const entries = await untaken(later(0));
      await Promise.all(entries.map((entry) => take([entry], later(0))));
      await take(entries, later(1));
      const [first, second, other, bobs] = await digestsOf(ids);
      expect(first).toMatchObject({
        state: "open",
        userId: "ann",
        channel: "email",
        openedAt: later(0),
        closesAt: later(HOUR_MS),
        shown: 0,
      });
      expect(second?.id).toBe(first?.id);
      expect(new Set([first, other, bobs].map((digest) => digest?.id)).size).toBe(3);
      expect(await untaken(later(HOUR_MS))).toEqual([]);
      expect((await fixture.storage.digests.openOf(fixture.owner("ann"))).map(({ id }) => id).sort()).toEqual(
        [first?.id, other?.id].sort(),
      );
    });

    test("calls at once over the same entries put each into one window", async () => {
      const ids: string[] = [];
      for (let key = 0; key < 5; key += 1) {
        ids.push(await write({ key: `${key}` }), await write({ key: `${key}` }), await write({ key: `${key}` }));
      }
      const entries = await untaken(later(0));
      await Promise.all([1, 2, 3, 4].map((shift) => take([...entries.slice(shift), ...entries.slice(0, shift)], later(0))));
      const digests = await digestsOf(ids);
      expect(new Set(digests.map((digest) => digest?.id)).size).toBe(5);
      expect(digests.every((digest, index) => digest?.id === digests[index - (index % 3)]?.id)).toBe(true);
    });

    test("an entry at the closing moment, and one that comes after the claim, belong to the next window", async () => {
      const [first, second, third] = [await write(), await write(), await write()];
      const [one, two, three] = (await untaken(later(0))) as [UntakenEntry, UntakenEntry, UntakenEntry];
      await take([one], later(0));
      await take([two], later(HOUR_MS));
      const [claimed, ...others] = await claimDue(later(2 * HOUR_MS - 1));
      expect([others.length, claimed?.digest.state, claimed?.attempt]).toEqual([0, "closing", 1]);
      expect(await claimDue(later(2 * HOUR_MS))).toMatchObject([{ digest: { openedAt: later(HOUR_MS) } }]);
      await take([three], later(HOUR_MS));
      const ids = (await digestsOf([first, second, third])).map((digest) => digest?.id);
      expect([ids[0], new Set(ids).size]).toEqual([claimed?.id, 3]);
    });

    test("what comes late joins the window that is due, and beside one that is not it has its own; what comes in time goes into neither", async () => {
      const ids = [await write(), await write(), await write(), await write(), await write()];
      const [one, two, three, four, five] = (await untaken(later(0))) as [
        ...[UntakenEntry, UntakenEntry, UntakenEntry],
        ...[UntakenEntry, UntakenEntry],
      ];
      const late = { closingAt: later(HOUR_MS) };
      await take([one], later(HOUR_MS + 5), late);
      await take([two], later(HOUR_MS + 6), late);
      await take([three], later(HOUR_MS + 7));
      await take([four, five], later(HOUR_MS + 8), late);
      const found = await digestsOf(ids);
      expect(found.map((digest) => [digest?.state, digest?.closesAt])).toEqual([
        ["closing", later(HOUR_MS)],
        ["closing", later(HOUR_MS)],
        ["open", later(2 * HOUR_MS + 7)],
        ["closing", later(HOUR_MS)],
        ["closing", later(HOUR_MS)],
      ]);
      expect([found[1]?.id, found[4]?.id]).toEqual([found[0]?.id, found[3]?.id]);
      expect(new Set(found.map((digest) => digest?.id)).size).toBe(3);
      const claimed = await claimDue(later(HOUR_MS + 8));
      expect(claimed.map(({ id }) => id).sort()).toEqual([found[0]?.id, found[3]?.id].sort());
    });

    test("a window that is full takes no more entries, and closes at its time; others go into a new one", { timeout: 60_000 }, async () => {
      const sends = Array.from({ length: FULL_WINDOW + 1 }, () => entrySend());
      for (let start = 0; start < sends.length; start += 100) {
        await deliveriesOf(fixture).createSends(sends.slice(start, start + 100), later(0));
      }
      const entries = await untaken(later(0));
      for (let start = 0; start < FULL_WINDOW; start += 100) {
        await take(entries.slice(start, start + 100), later(start));
      }
      await take(entries.slice(FULL_WINDOW), later(FULL_WINDOW));
      const found = await digestsOf([entries[0]?.deliveryId ?? "", ...entries.slice(-2).map(({ deliveryId }) => deliveryId)]);
      expect(found.map((digest) => [digest?.state, digest?.closesAt])).toEqual([
        ["closing", later(HOUR_MS)],
        ["closing", later(HOUR_MS)],
        ["open", later(HOUR_MS + FULL_WINDOW)],
      ]);
      expect(await claimDue(later(HOUR_MS - 1))).toEqual([]);
      const [claimed, ...others] = (await claimDue(later(HOUR_MS))) as [ClaimedDigest];
      expect([claimed.id, others]).toEqual([found[0]?.id, []]);
      expect((await end(claimed, { state: "closed", closedAt: later(HOUR_MS) }))?.length).toBe(FULL_WINDOW);
    });

    test("a sliding window ends later with each entry, up to its longest time", async () => {
      const plan = { windowMs: 1_000, maxWindowMs: 2_500 };
      const id = await write(plan);
      await take(await untaken(later(0)), later(0));
      for (const [at, closesAt] of [
        [900, 1_900],
        [1_800, 2_500],
        [2_400, 2_500],
        [2_000, 2_500],
      ] as const) {
        await write(plan);
        await take(await untaken(later(0)), later(at));
        expect((await digestsOf([id]))[0]?.closesAt).toEqual(later(closesAt));
      }
    });

    test("with leading, the first entry of a window is due by itself", async () => {
      const ids = [await write({ leading: true }), await write({ leading: true })];
      await take(await untaken(later(0)), later(0));
      expect((await digestsOf(ids)).map((digest) => digest?.state)).toEqual([undefined, "open"]);
      expect((await claim(fixture, later(0))).map(({ delivery }) => [delivery.id, delivery.reason])).toEqual([[ids[0], null]]);
      await write({ leading: true });
      await take(await untaken(later(0)), later(10));
      expect(await claim(fixture, later(10))).toEqual([]);
    });

    test("what was cancelled before it was taken opens no window", async () => {
      const send = entrySend();
      await deliveriesOf(fixture).createSends([send], later(0));
      const entries = await untaken(later(0));
      await deliveriesOf(fixture).settle({ kind: "send", tenant: fixture.tenant, id: send.notification.id }, later(0), (loaded) => ({
        deliveries: loaded.flatMap(({ chains }) =>
          chains.flat().map(({ isRead: _, ...one }) => ({ ...one, status: "cancelled", reason: null })),
        ),
        ...{ attempts: [], sends: [], audit: [] },
      }));
      await take(entries, later(0));
      expect([await fixture.storage.digests.openOf(fixture.owner("ann")), await untaken(later(0))]).toEqual([[], []]);
    });

    test("a digest ends only by whoever holds its lease, also without an entry; a lost lease makes it due again", async () => {
      const id = await write();
      await take(await untaken(later(0)), later(0));
      const [lost] = (await claimDue(later(HOUR_MS))) as [ClaimedDigest];
      const leases = await fixture.storage.digests.leases.lost({ at: later(HOUR_MS + 60_000), limit: 1_000, furthestMs: HOUR_MS });
      await fixture.storage.digests.release(leases.map((one) => ({ ...one, until: new Date(0) })));
      expect(await claimDue(later(HOUR_MS + 60_000))).toEqual([]);
      await fixture.storage.digests.release(leases);
      const [held] = (await claimDue(later(HOUR_MS + 60_000), "another")) as [ClaimedDigest];
      expect([held.id, held.fence, held.attempt]).toEqual([lost.id, lost.fence + 1, 2]);
      expect(await end(lost, { state: "closed" })).toBeNull();
      expect(await end(held, { state: "closed", closedAt: later(1) }, "another")).toEqual([id]);
      expect((await digestsOf([id]))[0]).toMatchObject({ state: "closed", closedAt: later(1) });
      expect(await end(held, { state: "open" }, "another")).toBeNull();
      await write({ key: "alone", leading: true });
      await take(await untaken(later(0)), later(0));
      const [empty] = (await claimDue(later(HOUR_MS))) as [ClaimedDigest];
      expect(await end(empty, { state: "closed" })).toEqual([]);
    });

    test("a rendered digest keeps its list, which its deliveries find, until it is closed", async () => {
      const ids = [await write(), await write(), await write()];
      await take(await untaken(later(0)), later(0));
      const [claimed] = (await claimDue(later(HOUR_MS))) as [ClaimedDigest];
      const { digests } = fixture.storage;
      const { members, next } = await digests.members(claimed.id, { after: null, limit: 2 });
      const rest = await digests.members(claimed.id, { after: next, limit: 2 });
      expect([...members, ...rest.members].map(({ deliveryId, status }) => [deliveryId, status])).toEqual(ids.map((id) => [id, "pending"]));
      const places = [ids[2] ?? "", ids[0] ?? ""];
      await end(claimed, { state: "rendered", renderedAt: later(2), shown: 1, total: 2, places, dueAt: later(3 * HOUR_MS) });
      const bundle = await digests.bundleOf(ids[0] ?? "");
      expect(bundle).toMatchObject({
        digest: { id: claimed.id, state: "rendered", renderedAt: later(2), shown: 1, total: 2 },
        deliveryIds: places,
        types: [bundle?.shown[0]?.notification.type],
      });
      expect(bundle?.shown.map(({ deliveryId }) => deliveryId)).toEqual([ids[2]]);
      expect([await digests.bundleOf(ids[1] ?? ""), await claimDue(later(2 * HOUR_MS))]).toEqual([null, []]);
      const [again] = (await claimDue(later(3 * HOUR_MS))) as [ClaimedDigest];
      expect(again.digest).toMatchObject({ id: claimed.id, state: "rendered" });
      await end(again, { state: "closed", closedAt: later(5) });
      expect(await digests.bundleOf(ids[0] ?? "")).toBeNull();
      // A fallback that still carries it finds it.
      await deliveriesOf(fixture).settle({ kind: "deliveries", ids: [ids[0] ?? ""] }, later(6), (loaded) => ({
        deliveries: loaded.flatMap(({ chains }) => chains.flat().map(({ isRead: _, ...one }) => ({ ...one, reason: "bundled" }))),
        ...{ attempts: [], sends: [], audit: [] },
      }));
      expect(await digests.bundleOf(ids[0] ?? "")).toMatchObject({ digest: { id: claimed.id, state: "closed" }, deliveryIds: places });
    });

    test("the end of an open window can be moved", async () => {
      const id = await write();
      await take(await untaken(later(0)), later(0));
      const [digest] = (await digestsOf([id])) as [Digest];
      await fixture.storage.digests.move("another", [digest.id], later(5));
      await fixture.storage.digests.move(fixture.tenant, [digest.id], later(10));
      expect(await claimDue(later(9))).toEqual([]);
      expect(await claimDue(later(10))).toMatchObject([{ id: digest.id, digest: { closesAt: later(10) } }]);
      await fixture.storage.digests.move(fixture.tenant, [digest.id], later(20));
      expect((await digestsOf([id]))[0]?.closesAt).toEqual(later(10));
    });

    test("the open windows of a tenant are read in steps, user by user", async () => {
      const ids: string[] = [];
      for (const to of ["ann", "bob", "Bob", "cat"]) {
        ids.push(await write({}, { to }), await write({ key: "2" }, { to }));
      }
      await take(await untaken(later(0)), later(0));
      const { digests } = fixture.storage;
      const steps: (readonly Digest[])[] = [];
      for (let after: string | null | undefined = null; after !== undefined; ) {
        const step: Awaited<ReturnType<typeof digests.openIn>> = await digests.openIn(fixture.tenant, { after, limit: 3 });
        steps.push(step.digests);
        after = step.next ?? undefined;
      }
      expect(steps.map(({ length }) => length)).toEqual([3, 3, 2]);
      expect(steps.flat().map(({ userId }) => userId)).toEqual(["Bob", "Bob", "ann", "ann", "bob", "bob", "cat", "cat"]);
      expect(new Set(steps.flat())).toEqual(new Set(await digestsOf(ids)));
      expect(await digests.openIn(`${fixture.tenant} `, { after: null, limit: 10 })).toEqual({ digests: [], next: null });
    });

    test("are exported and erased with their user, and swept once they are old", async () => {
      const { digests } = fixture.storage;
      const ids = [await write(), await write({ key: "2" }), await write({ key: "3" }), await write({}, { to: "bob" })];
      await take(await untaken(later(0)), later(0));
      const exported = await exportAll((after) => digests.export(fixture.owner("ann"), { after, limit: 2 }));
      expect(exported.flat()).toEqual((await digestsOf(ids)).slice(0, 3));
      await eraseAll(() => deliveriesOf(fixture).erase(fixture.owner("ann"), 2, later(1)));
      expect(await eraseAll(() => digests.erase(fixture.owner("ann"), 2))).toBe(3);
      expect(await exportAll((after) => digests.export(fixture.owner("ann"), { after, limit: 2 }))).toEqual([[]]);
      const [claimed] = (await claimDue(later(HOUR_MS))) as [ClaimedDigest];
      await digests.sweep(later(2 * HOUR_MS), { after: null, limit: 100 });
      expect((await digestsOf(ids))[3]?.id).toBe(claimed.id);
      await end(claimed, { state: "closed", closedAt: later(HOUR_MS) });
      await digests.sweep(later(HOUR_MS), { after: null, limit: 100 });
      expect((await digestsOf(ids))[3]?.id).toBe(claimed.id);
      await digests.sweep(later(HOUR_MS + 1), { after: null, limit: 100 });
      expect(await digestsOf(ids)).toEqual([undefined, undefined, undefined, undefined]);
    });

    test("an entry in a host's transaction is seen when that commits, and never after a rollback", async () => {
      const [kept, lost] = [entrySend(), entrySend()];
      const storage = deliveriesOf(fixture);
      const rolledBack = new Error("rolled back");
      const failing = fixture.subject.transaction((tx) => {
        const written = storage.createSendWithin(tx, lost, () => undefined);
        if (written instanceof Promise) {
          return written.then(() => Promise.reject(rolledBack));
        }
        throw rolledBack;
      });
      await expect(failing).rejects.toBe(rolledBack);
      await fixture.subject.transaction((tx) => storage.createSendWithin(tx, kept, () => undefined));
      expect((await untaken(later(365 * 24 * HOUR_MS))).map(({ deliveryId }) => deliveryId)).toEqual([kept.deliveries[0]?.id]);
    });
  });
}

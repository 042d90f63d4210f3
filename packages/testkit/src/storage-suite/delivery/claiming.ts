import type { Delivery } from "@belfry/core";
import type { ChainSelection, ClaimedDelivery, LoadedSend, NewSend } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { deleteSend } from "../steps.ts";
import { become, claim, claimAll, createSend, deliveriesOf, expectTrueStatus, newSend } from "./send-entries.ts";

/** The promises of claiming and settling deliveries. */
export function claimingTests(harness: StorageHarness): void {
  describe("deliveries", () => {
    const fixture = useFixture(harness);
    const later = (seconds: number) => new Date(Date.UTC(2026, 6, 1) + seconds * 1_000);

    async function load(selection: ChainSelection, at = later(0)): Promise<readonly LoadedSend[]> {
      let seen: readonly LoadedSend[] = [];
      await deliveriesOf(fixture).settle(selection, at, (loaded) => {
        seen = loaded.filter(({ state }) => state.tenant === fixture.tenant);
        return { deliveries: [], attempts: [], sends: [], audit: [] };
      });
      return seen;
    }

    test("due deliveries are leased once, oldest first, with their content", async () => {
      const first = await createSend(fixture, { channel: "email", to: ["a@x.example"] });
      const second = await createSend(fixture, { channel: "email", to: ["b@x.example"], title: "Second" });
      const claimed = await claim(fixture, later(0));
      expect(claimed.map(({ delivery, notification }) => [delivery.recipient, notification.title])).toEqual([
        ["a@x.example", "Subject"],
        ["b@x.example", "Second"],
      ]);
      expect(claimed[0]).toMatchObject({ roomId: null, scheduledAt: null, meta: first.details?.meta });
      expect(claimed[1]?.notification).toEqual(second.notification);
      expect(claimed[0]?.delivery).toMatchObject({ attempt: 1, fence: 1, leaseOwner: "worker", leaseUntil: later(60), status: "pending" });
      expect(await claim(fixture, later(1))).toEqual([]);
    });

    test.each([
      ["alone", null],
      ["with an idempotency key", "key"],
    ])("a delivery that is written with a lease, %s, is as one that was claimed", async (_title, key) => {
      const storage = deliveriesOf(fixture);
      const [owner, at] = [`${fixture.tenant} owner`, later(0)];
      const idempotency = key === null ? null : { key, bodyHash: "hash", response: "{}" };
      const send = newSend(fixture, { channel: "email", to: ["a", "b"], idempotency });
      const lease = { owner, leaseMs: 60_000 };
      const leased = { ...send, deliveries: send.deliveries.map((one) => (one.recipient === "a" ? { ...one, lease } : one)) };
      expect(await storage.createSends([leased], at)).toEqual([{ kind: "created", items: [], isLeased: true }]);
      // What was written before may have other leases by now.
      const [again] = await storage.createSends([leased], at);
      expect(again).not.toHaveProperty("isLeased");
      expect((await claim(fixture, at)).map(({ delivery: { recipient } }) => recipient)).toEqual(["b"]);
      const [held, ...more] = await storage.leases.leasedTo(owner);
      expect(more).toEqual([]);
      const times = { dueAt: at, leaseUntil: later(60), settledAt: null };
      expect(held?.delivery).toMatchObject({ recipient: "a", status: "pending", attempt: 1, fence: 1, leaseOwner: owner, ...times });
      expect(held?.notification).toEqual(send.notification);
      const lost = async (seconds: number) =>
        (await storage.leases.lost({ at: later(seconds), limit: 100, furthestMs: 120_000 })).filter((one) => one.owner === owner);
      expect(await lost(59)).toEqual([]);
      expect(await lost(60)).toMatchObject([{ id: held?.delivery.id, fence: 1, attempt: 1 }]);
      await fixture.storage.activity.deleteNotification(fixture.tenant, send.notification.id, { limit: 100, at, actor: "test" });
    });

    test("deliveries that are not due, waiting, above the limit, or of another channel, tenant or endpoint, are not leased", async () => {
      await createSend(fixture, { channel: "email", to: ["a", "b", "c"], fallbackAfterMs: null });
      await createSend(fixture, { channel: "webhook", to: ["a"] });
      await createSend(fixture, { channel: "email", to: ["d"], plan: { scheduledAt: later(100) } });
      const recipients = (claimed: Awaited<ReturnType<typeof claim>>) =>
        claimed.map(({ delivery: { channel, recipient } }) => `${channel} ${recipient}`);
      expect(await claim(fixture, later(0), { channels: ["sms"] })).toEqual([]);
      expect(await claim(fixture, later(0), { exceptTenants: [fixture.tenant] })).toEqual([]);
      const exceptEndpoints = [{ channel: "email", recipient: "a" }];
      expect(recipients(await claim(fixture, later(0), { channels: ["email"], exceptEndpoints }))).toEqual(["email b", "email c"]);
      expect(recipients(await claim(fixture, later(0)))).toEqual(["email a", "webhook a"]);
      expect(recipients(await claim(fixture, later(100)))).toEqual(["email d"]);
    });

    test("what waits for a user's quiet hours becomes due step by step, and nothing else that waits", async () => {
      const storage = deliveriesOf(fixture);
      const waiting = async (to: string, more: Partial<NewSend["deliveries"][number]>) => {
        const send = newSend(fixture, { channel: "email", to: [to] });
        const quiet = { recipientKind: "user", reason: "quiet_hours", reasonSource: "user", dueInMs: 365 * 86_400_000 } as const;
        const deliveries = send.deliveries.map((one) => ({ ...one, ...quiet, ...more }));
        await storage.createSends([{ ...send, deliveries }], later(0));
      };
      for (const _ of [1, 2, 3]) {
        await waiting("ann", {});
      }
      await waiting("ann", { reason: null, reasonSource: null });
      await waiting("ann", { recipientKind: "address" });
      await waiting("bob", {});
      const ann = fixture.owner("ann");
      expect(await claim(fixture, later(1))).toEqual([]);
      expect(await storage.reconsider({ tenant: `${fixture.tenant} `, userId: "ann" }, 10, later(1))).toBe(0);
      expect([await storage.reconsider(ann, 2, later(1)), await storage.reconsider(ann, 2, later(1))]).toEqual([2, 1]);
      expect(await storage.reconsider(ann, 2, later(1))).toBe(0);
      const claimed = await claim(fixture, later(1));
      expect(claimed.map(({ delivery }) => [delivery.recipient, delivery.recipientKind, delivery.reason])).toEqual(
        [1, 2, 3].map(() => ["ann", "user", "quiet_hours"]),
      );
      // Those that a worker holds are being decided.
      expect(await storage.reconsider(ann, 10, new Date(0))).toBe(0);
    });

    test("a claim takes no more of one endpoint than its limit", async () => {
      for (let index = 0; index < 5; index += 1) {
        await createSend(fixture, { channel: "webhook", to: ["https://one.example", `https://${index}.example`] });
      }
      const claimed = await claim(fixture, later(0), { perEndpoint: 2 });
      expect(claimed.filter(({ delivery }) => delivery.recipient === "https://one.example")).toHaveLength(2);
      expect(claimed).toHaveLength(7);
    });

    test("a claim that leaves a tenant out takes no more of one endpoint either", async () => {
      for (let index = 0; index < 3; index += 1) {
        // An endpoint of its own: what other tests left to it would be claimed first.
        await createSend(fixture, { channel: "webhook", to: [`https://one.example/${fixture.tenant}`] });
      }
      expect(await claim(fixture, later(0), { perEndpoint: 1, exceptTenants: ["another"] })).toHaveLength(1);
    });

    test("a tenant that is left out hides nobody, however many deliveries it has in front of theirs", async () => {
      // Takes what other tests left.
      await claim(fixture, later(0));
      const many = await createSend(fixture, { channel: "email", to: Array.from({ length: 1_100 }, (_, index) => `u${index}`) });
      const [one, two] = [`${fixture.tenant} one`, `${fixture.tenant} two`];
      const order = [two, one, two, one, two];
      for (const [index, tenant] of order.entries()) {
        await createSend(fixture, { tenant, channel: "email", to: [`${index} a`, `${index} b`] });
      }
      const request = { exceptTenants: [fixture.tenant] };
      const claimed = [...(await claim(fixture, later(0), { ...request, limit: 3 })), ...(await claim(fixture, later(0), request))];
      expect(claimed.map(({ delivery: { tenant, recipient } }) => [tenant, recipient])).toEqual(
        order.flatMap((tenant, index) => [
          [tenant, `${index} a`],
          [tenant, `${index} b`],
        ]),
      );
      expect(await claim(fixture, later(0), request)).toEqual([]);
      expect(await claim(fixture, later(0), { exceptTenants: [one], limit: 2 })).toHaveLength(2);
      // Else the claims of other tests would find these.
      await deleteSend(fixture.storage, many.notification, { at: later(0), actor: "test" });
    });

    test("a claim by name leases what is due of it, oldest first, and what has another fence, tenant or time is left out", async () => {
      const { leases } = deliveriesOf(fixture);
      const people = ["a", "b", "c", "d", "e"];
      await createSend(fixture, { channel: "email", to: people });
      await createSend(fixture, { channel: "email", to: ["later"], plan: { scheduledAt: later(100) } });
      const due = async (more: Partial<Parameters<typeof claimAll>[1]> = {}) =>
        (await leases.due(claimAll(later(0), more))).filter(({ tenant }) => tenant === fixture.tenant);
      const found = await due();
      expect(found).toEqual(people.map(() => ({ id: expect.any(String), tenant: fixture.tenant, fence: 1 })));
      expect(await due({ exceptTenants: [fixture.tenant] })).toEqual([]);
      expect(await due({ exceptEndpoints: [{ channel: "email", recipient: "b" }] })).toHaveLength(4);
      const [a, b, c, d] = found;
      const unknown = ["unknown", crypto.randomUUID(), a?.id ?? ""].map((id) => ({ id, fence: 2 }));
      const named = [...unknown, d, c, b].filter((one) => one !== undefined);
      const claimNamed = async (more: Partial<Parameters<typeof claimAll>[1]> = {}) =>
        (await leases.claimNamed(named, claimAll(later(0), more))).map(({ delivery }) => delivery);
      expect(await claimNamed({ exceptTenants: [fixture.tenant] })).toEqual([]);
      expect(await claimNamed({ channels: ["webhook"] })).toEqual([]);
      const exceptEndpoints = [{ channel: "email", recipient: "b" }];
      expect((await claimNamed({ limit: 1, exceptEndpoints })).map(({ recipient }) => recipient)).toEqual(["c"]);
      const leased = { attempt: 1, fence: 1, leaseOwner: "worker", leaseUntil: later(60), status: "pending" };
      expect(await claimNamed()).toMatchObject([
        { recipient: "b", ...leased },
        { recipient: "d", ...leased },
      ]);
      expect(await claimNamed()).toEqual([]);
      expect(await leases.claimNamed([], claimAll(later(0)))).toEqual([]);
      expect((await claim(fixture, later(0))).map(({ delivery: { recipient } }) => recipient)).toEqual(["a", "e"]);
    });

    test("a claim by name takes no more of one endpoint than its limit", async () => {
      const { leases } = deliveriesOf(fixture);
      for (let index = 0; index < 3; index += 1) {
        await createSend(fixture, { channel: "webhook", to: [`https://named.example/${fixture.tenant}`] });
      }
      const named = (await leases.due(claimAll(later(0)))).filter(({ tenant }) => tenant === fixture.tenant);
      expect(named).toHaveLength(3);
      expect(await leases.claimNamed(named, claimAll(later(0), { perEndpoint: 2 }))).toHaveLength(2);
    });

    test("of claims by the same names at once, each name is one's", async () => {
      const { leases } = deliveriesOf(fixture);
      await createSend(fixture, { channel: "email", to: Array.from({ length: 20 }, (_, index) => `u${index}`) });
      const named = (await leases.due(claimAll(later(0)))).filter(({ tenant }) => tenant === fixture.tenant);
      const claims = await Promise.all(["w1", "w2", "w3"].map((owner) => leases.claimNamed(named, claimAll(later(0), { owner }))));
      const rest = await leases.claimNamed(named, claimAll(later(0)));
      const ids = [...claims, rest].flat().map(({ delivery }) => delivery.id);
      expect([ids.length, new Set(ids).size]).toEqual([20, 20]);
    });

    test("claims at once share nothing", async () => {
      await createSend(fixture, { channel: "email", to: Array.from({ length: 60 }, (_, index) => `u${index}`) });
      const claims = await Promise.all(
        Array.from({ length: 6 }, (_, index) => claim(fixture, later(0), { owner: `w${index}`, limit: 10 })),
      );
      const rest = await claim(fixture, later(0));
      const ids = [...claims.flat(), ...rest].map(({ delivery }) => delivery.id);
      expect([ids.length, new Set(ids).size]).toEqual([60, 60]);
    });

    test("a worker whose claim was not answered finds what it took", async () => {
      const send = await createSend(fixture, { channel: "email", to: ["a", "b", "c"] });
      const storage = deliveriesOf(fixture);
      const [one, two] = [`${fixture.tenant} one`, `${fixture.tenant} two`];
      const leasedTo = async (owner: string) =>
        (await storage.leases.leasedTo(owner)).filter(({ delivery }) => delivery.tenant === fixture.tenant);
      const exceptEndpoints = ["b", "c"].map((recipient) => ({ channel: "email", recipient }));
      const first = await claim(fixture, later(0), { owner: one, exceptEndpoints });
      const rest = await claim(fixture, later(0), { owner: two });
      expect(rest.map(({ delivery, notification }) => [delivery.recipient, notification])).toEqual([
        ["b", send.notification],
        ["c", send.notification],
      ]);
      expect([await leasedTo(one), await leasedTo(two)]).toEqual([first, rest]);
      const ids = first.map(({ delivery }) => delivery.id);
      await storage.settle(
        { kind: "deliveries", ids },
        later(0),
        become((delivery) => ({ ...delivery, status: "sent", dueAt: null, leaseOwner: null, leaseUntil: null, settledAt: later(0) })),
      );
      // Their notification stands otherwise than it did.
      const others = rest.map(({ state: _, ...claimed }) => claimed);
      expect([await leasedTo(one), await leasedTo(two)]).toMatchObject([[], others]);
    });

    test("a lease is prolonged for its holder alone", async () => {
      await createSend(fixture, { channel: "email", to: ["a"] });
      const [claimed] = await claim(fixture, later(0));
      const lease = { id: claimed?.delivery.id ?? "", fence: 1 };
      const storage = deliveriesOf(fixture);
      const options = { at: later(30), leaseMs: 60_000 };
      expect(await storage.leases.renew("another", [lease], options)).toEqual([]);
      expect(
        await storage.leases.renew(
          "worker",
          [
            { ...lease, fence: 0 },
            { ...lease, id: "none" },
          ],
          options,
        ),
      ).toEqual([]);
      expect(await storage.leases.renew("worker", [lease], options)).toEqual([lease]);
      const lost = async (at: Date, notOwnedBy?: string) =>
        (await storage.leases.lost({ at, limit: 1_000, furthestMs: 60_000, ...(notOwnedBy === undefined ? {} : { notOwnedBy }) })).filter(
          ({ id }) => id === lease.id,
        );
      expect(await lost(later(61))).toEqual([]);
      expect(await lost(later(91))).toEqual([{ ...lease, owner: "worker", attempt: 1, until: later(90) }]);
      expect([await lost(later(61), "worker"), (await lost(later(61), "me")).length]).toEqual([[], 1]);
      // Further ahead than any can be: the clock went back.
      expect([await lost(later(30)), (await lost(later(29))).length]).toEqual([[], 1]);
    });

    test("whole chains are loaded, and what was decided is written", async () => {
      const send = await createSend(fixture, { to: ["ann", "bob"], fallbackAfterMs: 5_000 });
      const { id } = send.notification;
      const [first] = send.deliveries;
      const ids = [first?.id ?? ""];
      const [loaded] = await load({ kind: "deliveries", ids });
      expect(loaded?.chains.map((chain) => chain.map(({ recipient, channel }) => `${recipient} ${channel}`))).toEqual([
        ["ann inbox", "ann email"],
      ]);
      expect(loaded?.state).toMatchObject({ id, status: "pending", chains: { pending: 2, sent: 0 }, fallbackDelayMs: 5_000 });
      const at = later(5);
      const settled = { status: "sent", dueAt: null, settledAt: at, attempt: 3, attemptsBefore: 1, fence: 4, reason: "no_ack" } as const;
      const attempt = {
        deliveryId: first?.id ?? "",
        attempt: 3,
        status: "sent",
        startedAt: later(3),
        finishedAt: later(4),
        provider: "p",
        response: "250 ok",
        messageId: "m",
        error: null,
        note: "n",
        isTransient: false,
        exchange: null,
      } as const;
      const change = become((one) => (one.isFallback ? one : { ...one, ...settled }), {
        attempts: [attempt],
        audit: [{ action: "retried", actor: "me", notificationId: id }],
      });
      await deliveriesOf(fixture).settle({ kind: "deliveries", ids }, at, (all, now) => {
        const changes = change(all, now);
        return { ...changes, sends: changes.sends.map((state) => ({ ...state, attempts: 3, deliveredAt: at })) };
      });
      const [delivery, fallback, other] = await deliveriesOf(fixture).deliveriesOf(fixture.tenant, [id], { offset: 0, limit: 100 });
      expect(delivery).toMatchObject({ ...settled, attempts: [attempt] });
      expect([fallback?.status, other?.status, other?.attempts]).toEqual(["waiting", "pending", []]);
      expect(await deliveriesOf(fixture).findSend(fixture.tenant, id)).toMatchObject({ attempts: 3, deliveredAt: at, updatedAt: at });
      expect((await deliveriesOf(fixture).listAudit(fixture.tenant, { limit: 1 }))[0]).toMatchObject({
        action: "retried",
        actor: "me",
        at,
      });
      await expectTrueStatus(fixture, id);
    });

    test("a decision that throws changes nothing", async () => {
      const send = await createSend(fixture);
      const decide = () => {
        throw new Error("undecided");
      };
      const settle = deliveriesOf(fixture).settle({ kind: "send", tenant: fixture.tenant, id: send.notification.id }, later(0), decide);
      await expect(settle).rejects.toThrow();
      await expectTrueStatus(fixture, send.notification.id);
    });

    test("waiting deliveries are found once they are due, but never those that only wait for their primary", async () => {
      const timed = await createSend(fixture, { fallbackAfterMs: 1_000_000_000 });
      await createSend(fixture, { to: ["bob"], fallbackAfterMs: null });
      const due = timed.notification.createdAt.getTime() + 1_000_000_000;
      expect(await load({ kind: "waiting", limit: 1_000 }, new Date(due - 1))).toEqual([]);
      expect((await load({ kind: "waiting", limit: 1_000 }, new Date(due))).map(({ state }) => state.id)).toEqual([timed.notification.id]);
    });

    test("a user's own are found by notification, or by what was read", async () => {
      const owner = fixture.owner("ann");
      const a = await createSend(fixture, { to: ["ann", "bob"], fallbackAfterMs: 5_000 });
      const b = await createSend(fixture, { to: ["ann"] });
      await createSend(fixture, { channel: "email", to: ["ann"] });
      const ids = [a.notification.id, b.notification.id];
      const byId = await load({ kind: "inbox", owner, ids: [a.notification.id.toUpperCase()] });
      expect(byId.map(({ chains }) => chains.map((chain) => chain.map(({ recipient, isRead }) => [recipient, isRead])))).toEqual([
        [
          [
            ["ann", false],
            ["ann", false],
          ],
        ],
      ]);
      expect(await load({ kind: "inbox", owner, ids: null })).toEqual([]);
      expect(await load({ kind: "inbox", owner: fixture.owner("eve"), ids })).toEqual([]);
      await fixture.inbox.markRead(owner, [a.notification.id], later(0));
      const read = await load({ kind: "inbox", owner, ids: null });
      expect(read.map(({ state, chains }) => [state.id, chains[0]?.[0]?.isRead])).toEqual([[a.notification.id, true]]);
      await fixture.inbox.markAllRead(owner, later(1));
      expect((await load({ kind: "inbox", owner, ids: null })).map(({ state }) => state.id).sort()).toEqual([...ids].sort());
      const delivered = become((one) => ({ ...one, status: "delivered" }));
      await deliveriesOf(fixture).settle({ kind: "inbox", owner, ids }, later(2), delivered);
      expect(await load({ kind: "inbox", owner, ids })).toEqual([]);
    });

    test("settlements at once keep a send's counts and status true to its deliveries", async () => {
      const to = Array.from({ length: 40 }, (_, index) => `u${index}`);
      const send = await createSend(fixture, { channel: "email", to });
      const outcomes = ["sent", "delivered", "failed", "cancelled"] as const;
      await Promise.all(
        send.deliveries.map(({ id }, index) =>
          deliveriesOf(fixture).settle(
            { kind: "deliveries", ids: [id] },
            later(index),
            become((one) => ({ ...one, status: outcomes[index % 4] ?? "sent", dueAt: null })),
          ),
        ),
      );
      await expectTrueStatus(fixture, send.notification.id);
      expect((await deliveriesOf(fixture).findSend(fixture.tenant, send.notification.id))?.status).toBe("partial");
    });

    test("only what its worker still holds, and nobody has read, is completed", async () => {
      const storage = deliveriesOf(fixture);
      const [email, tried, read] = [
        await createSend(fixture, { channel: "email", to: ["a"] }),
        await createSend(fixture, { channel: "email", to: ["b"], details: null }),
        await createSend(fixture, { to: ["ann"] }),
      ];
      const pair = await createSend(fixture, { channel: "email", to: ["a", "b"] });
      const claimed = await claim(fixture, later(0));
      expect(claimed.map(({ isOnly }) => isOnly).toSorted()).toEqual([false, false, true, true, true]);
      await fixture.inbox.markRead(fixture.owner("ann"), [read.notification.id], later(0));
      const loaded = claimed
        .filter(({ isOnly }) => isOnly)
        .map(({ delivery, state }): LoadedSend => ({ state, chains: [[{ ...delivery, isRead: false }]] }));
      const ended = (delivery: Delivery): Delivery =>
        delivery.notificationId === tried.notification.id
          ? { ...delivery, dueAt: later(9), leaseOwner: null, leaseUntil: null }
          : { ...delivery, status: "sent", dueAt: null, leaseOwner: null, leaseUntil: null, settledAt: later(1) };
      const changes = become(ended)(loaded, later(1));
      const stale = { ...changes, deliveries: changes.deliveries.map((one) => ({ ...one, fence: 0 })) };
      expect((await storage.complete("another", changes, later(1))).ids).toEqual(new Set());
      expect((await storage.complete("worker", stale, later(1))).ids).toEqual(new Set());
      expect((await storage.complete("worker", { ...changes, deliveries: [], sends: [] }, later(1))).ids).toEqual(new Set());
      const { ids } = await storage.complete("worker", changes, later(1));
      const idsOf = (sends: readonly NewSend[]) => new Set(sends.flatMap(({ deliveries }) => deliveries.map(({ id }) => id)));
      expect(ids).toEqual(idsOf([email, tried]));
      expect((await storage.complete("worker", changes, later(1))).ids).toEqual(new Set());
      const statuses = [email, tried, read, pair].map(
        async ({ notification }) => (await storage.findSend(fixture.tenant, notification.id))?.status,
      );
      expect(await Promise.all(statuses)).toEqual(["sent", "pending", "pending", "pending"]);
      for (const { notification } of [email, tried, read, pair]) {
        await expectTrueStatus(fixture, notification.id);
      }
    });

    test("the end of a delivery that is gone is not taken for that of another, and others end beside it", async () => {
      const storage = deliveriesOf(fixture);
      const ended = ({ delivery, state }: ClaimedDelivery): LoadedSend => ({ state, chains: [[{ ...delivery, isRead: false }]] });
      const sent = become((one) => ({ ...one, status: "sent", dueAt: null, leaseOwner: null, leaseUntil: null, settledAt: later(1) }));
      const complete = (claimed: readonly ClaimedDelivery[]) =>
        storage.complete("worker", { ...sent(claimed.map(ended), later(1)), claimed }, later(1));
      const kept = await createSend(fixture, { channel: "email", to: ["a"] });
      const gone = await createSend(fixture, { channel: "email", to: ["b"] });
      const before = await claim(fixture, later(0));
      await deleteSend(fixture.storage, { tenant: fixture.tenant, id: gone.notification.id }, { at: later(0), actor: "test" });
      // SQLite gives it the key of the deleted one.
      const next = await createSend(fixture, { channel: "email", to: ["c"] });
      const after = await claim(fixture, later(0));
      expect([...(await complete(before)).ids]).toEqual(kept.deliveries.map(({ id }) => id));
      const statusOf = async ({ notification: { id } }: NewSend) => (await storage.findSend(fixture.tenant, id))?.status;
      expect([await statusOf(kept), await statusOf(next)]).toEqual(["sent", "pending"]);
      expect([...(await complete(after)).ids]).toEqual(next.deliveries.map(({ id }) => id));
      expect(await statusOf(next)).toBe("sent");
      for (const { notification } of [kept, next]) {
        await expectTrueStatus(fixture, notification.id);
      }
    });

    test("the storage knows the next time anything is due", async () => {
      const storage = deliveriesOf(fixture);
      // Deliveries of other tests are due long before.
      expect(await storage.leases.nextDueInMs(new Date(8.64e12))).toBe(0);
      const send = await createSend(fixture, { channel: "email" });
      const inMs = await storage.leases.nextDueInMs(new Date(0));
      expect(inMs).toBeLessThanOrEqual(send.notification.createdAt.getTime());
    });
  });
}

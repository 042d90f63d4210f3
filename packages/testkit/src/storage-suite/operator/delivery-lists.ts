import type { Delivery } from "@belfry/core";
import type { DeliveryListQuery, ListedDelivery } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { become, createSend, deliveriesOf } from "../delivery/send-entries.ts";
import { at, range, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

/** The promises of an operator's lists of deliveries. */
export function deliveryListTests(harness: StorageHarness): void {
  describe("lists of deliveries", () => {
    const fixture = useFixture(harness);
    const activity = () => fixture.storage.activity;

    /** Reads all pages. */
    async function all(
      read: (query: DeliveryListQuery) => Promise<readonly ListedDelivery[]>,
      { isFailing = false, limit = 3 } = {},
    ): Promise<readonly ListedDelivery[]> {
      const found: ListedDelivery[] = [];
      for (let after: string | null = null; ; ) {
        const page: readonly ListedDelivery[] = await read({ isFailing, after, limit });
        found.push(...page);
        if (page.length < limit) {
          return found;
        }
        after = page.at(-1)?.key ?? null;
      }
    }
    const inside = (id: string, options = {}) => all((query) => activity().deliveriesIn(fixture.tenant, id, query), options);
    const to = (names: readonly string[], options = {}) => all((query) => activity().deliveriesTo(fixture.tenant, names, query), options);
    const named = (listed: readonly ListedDelivery[]) => listed.map(({ delivery: { recipient, channel } }) => `${recipient} ${channel}`);

    /** Has these fail, and others wait for a second attempt. */
    async function attempted(
      id: string,
      failed: (delivery: Delivery) => boolean,
      retrying: (delivery: Delivery) => boolean,
    ): Promise<void> {
      const change = (delivery: Delivery): Delivery => {
        if (failed(delivery)) {
          return { ...delivery, status: "failed", attempt: 1, dueAt: null, settledAt: at(5) };
        }
        return retrying(delivery) ? { ...delivery, attempt: 1, dueAt: at(90) } : delivery;
      };
      const decide = become(change);
      await deliveriesOf(fixture).settle({ kind: "send", tenant: fixture.tenant, id }, at(5), (loaded, now) => {
        const changes = decide(loaded, now);
        const tried = changes.deliveries.filter(({ attempt }) => attempt === 1);
        const attempts = tried.map((delivery) => ({
          ...({ deliveryId: delivery.id, attempt: 1, status: "failed", startedAt: at(4), finishedAt: at(5), provider: "test" } as const),
          ...{ response: null, messageId: null, error: `no ${delivery.recipient}`, note: null, isTransient: true, exchange: null },
        }));
        return { ...changes, attempts };
      });
    }

    test("those of a notification come page by page, in the order of its recipients, with their attempts", async () => {
      const users = range(1, 8).map((user) => `u${user}`);
      const { notification } = await createSend(fixture, { channel: "webhook", to: users, fallbackAfterMs: null, title: "Many" });
      await createSend(fixture, { channel: "webhook", to: users });
      await attempted(
        notification.id,
        ({ recipient, isFallback }) => recipient === "u3" && !isFallback,
        () => false,
      );
      const listed = await inside(notification.id);
      expect(named(listed)).toEqual(users.flatMap((user) => [`${user} webhook`, `${user} email`]));
      expect(listed[4]).toMatchObject({
        delivery: { status: "failed", attempts: [{ attempt: 1, error: "no u3" }] },
        notification: { type: notification.type, title: "Many", createdAt: notification.createdAt },
      });
      expect(await activity().deliveriesIn("another", notification.id, { isFailing: false, after: null, limit: 9 })).toEqual([]);
    });

    test("only those that failed, or are tried again, are listed among thousands, and all are counted", async () => {
      const users = range(1, 2_000).map((user) => `u${user}`);
      const { notification } = await createSend(fixture, { channel: "email", to: users });
      const [failing, retrying] = [new Set(["u7", "u1900"]), new Set(["u2", "u1500", "u1999"])];
      await attempted(
        notification.id,
        ({ recipient }) => failing.has(recipient),
        ({ recipient }) => retrying.has(recipient),
      );
      const listed = await inside(notification.id, { isFailing: true, limit: 2 });
      expect(listed.map(({ delivery }) => `${delivery.recipient} ${delivery.status}`)).toEqual([
        ...["u2 pending", "u7 failed", "u1500 pending", "u1900 failed", "u1999 pending"],
      ]);
      const counts = { pending: 1_998, failed: 2, sent: 0, delivered: 0, skipped: 0, cancelled: 0 };
      expect(await activity().chainsOf(fixture.tenant, notification.id)).toEqual(counts);
      expect(await activity().chainsOf("another", notification.id)).toBeNull();
      expect(await activity().chainsOf(fixture.tenant, (await fixture.create("ann")).notification.id)).toBeNull();
    });

    test("those to a user come newest first, by all names together, of this tenant alone", async () => {
      for (const title of ["1", "2", "3", "4", "5"]) {
        await createSend(fixture, { channel: "email", to: [title === "3" ? "ann@example.com" : "ann", "bob"], title });
      }
      await createSend(fixture, { channel: "email", to: ["ann"], title: "foreign", tenant: `${fixture.tenant} (other)` });
      const names = ["ann", "ann@example.com"];
      const titles = (listed: readonly ListedDelivery[]) => listed.map(({ notification }) => notification.title);
      for (const limit of [1, 2, 9]) {
        expect(titles(await to(names, { limit }))).toEqual(["5", "4", "3", "2", "1"]);
      }
      expect(titles(await to(["ann@example.com"]))).toEqual(["3"]);
      const [newest] = await to(["ann"]);
      await attempted(
        newest?.delivery.notificationId ?? "",
        ({ recipient }) => recipient === "ann",
        () => false,
      );
      expect(titles(await to(names, { isFailing: true }))).toEqual(["5"]);
      expect(await to([])).toEqual([]);
    });
  });
}

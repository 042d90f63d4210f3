import type { ActivityFilter, DeliveryStatus } from "@belfry/core";
import type { StateFilter } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { become, createSend, deliveriesOf, type SendFields } from "../delivery/send-entries.ts";
import { at, range, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { ended, planSome, present } from "../hub/hub-fixture.ts";
import { LOOKALIKES } from "../service/lookalikes.ts";

/** How the only delivery of a send stands, and what its last attempt says. */
interface Attempted {
  readonly status: DeliveryStatus;
  readonly error?: string;
  readonly messageId?: string;
}

/** The promises of the filters that look something up, or look at a part of a text. */
export function activityFindingTests(harness: StorageHarness): void {
  describe("finding", () => {
    const fixture = useFixture(harness);

    async function found(filter: StateFilter & ActivityFilter): Promise<readonly string[]> {
      const { activity } = fixture.storage;
      const ids = (await activity.search(fixture.tenant, { ...filter, limit: 100 })).map(({ id }) => id);
      expect([filter, await activity.count(fixture.tenant, filter, 100)]).toEqual([filter, ids.length]);
      return ids;
    }

    const create = async (to: string) => (await fixture.create(to)).notification.id;
    const send = async (fields: SendFields) => (await createSend(fixture, fields)).notification.id;

    /** A send whose only delivery was attempted once. */
    async function attempted({ status, error, messageId }: Attempted, to = "ann@example.com"): Promise<string> {
      const id = await send({ channel: "email", to: [to] });
      const deliveries = await deliveriesOf(fixture).deliveriesOf(fixture.tenant, [id], { offset: 0, limit: 1 });
      const attempts = deliveries.map((delivery) => ({
        ...({ deliveryId: delivery.id, attempt: 1, status: "failed", startedAt: at(1), finishedAt: at(2), provider: "smtp" } as const),
        ...{ response: null, messageId: messageId ?? null, error: error ?? null, note: null, isTransient: true, exchange: null },
      }));
      const change = become((delivery) => ({ ...delivery, status, attempt: 1, dueAt: status === "pending" ? at(99) : null }), { attempts });
      await deliveriesOf(fixture).settle({ kind: "send", tenant: fixture.tenant, id }, at(2), change);
      return id;
    }

    test("a beginning finds users, recipients and senders, whatever the case of its letters", async () => {
      const ids = [
        await create("Ann-Marie"),
        await create("ann"),
        await send({ channel: "email", to: ["ANN@Example.com"] }),
        await send({ channel: "webhook", to: ["https://ann.example"] }),
        await create("an"),
      ];
      const event = fixture.entry([], { kind: "event", type: "event", source: "shop", actor: "aNN@shop" }).notification;
      const { id, tenant, data: metadata, createdAt: receivedAt } = event;
      await fixture.storage.hub.createEvents(
        [{ id, tenant, source: "shop", sender: "aNN@shop", content: "", metadata, receivedAt }],
        () => [],
      );
      const [marie, ann, mail, hook] = ids;
      expect(await found({ recipientPrefix: "ann" })).toEqual([event.id, mail, ann, marie]);
      expect(await found({ recipientPrefix: "ANN@" })).toEqual([event.id, mail]);
      expect(await found({ recipientPrefix: "ann-MARIE" })).toEqual([marie]);
      expect(await found({ recipientPrefix: "HTTPS://ann.e" })).toEqual([hook]);
      expect(await found({ recipientPrefix: "ann", kind: "message" })).toEqual([ann, marie]);
      expect(await found({ recipientPrefix: "nn" })).toEqual([]);
      expect(await found({ recipientPrefix: "an%" })).toEqual([]);
    });

    test("names that begin so are told, each once", async () => {
      const { activity } = fixture.storage;
      for (const name of ["ann", "ann", "Anna", "bob"]) {
        await create(name);
      }
      await send({ channel: "email", to: ["ann", "ANN@example.com"] });
      const named = async (beginning: string, limit = 10) => [...(await activity.recipientsLike(fixture.tenant, beginning, limit))].sort();
      expect(await named("aN")).toEqual(["ANN@example.com", "Anna", "ann"]);
      expect(await named("anna")).toEqual(["Anna"]);
      expect(await named("x")).toEqual([]);
      expect(await named("a", 1)).toHaveLength(1);
      fixture.nextTenant();
      expect(await named("ann")).toEqual([]);
    });

    test("a beginning stands for nothing but itself", async () => {
      for (const name of LOOKALIKES) {
        await create(name);
      }
      for (const name of LOOKALIKES) {
        const { activity } = fixture.storage;
        const names = (await activity.search(fixture.tenant, { recipientPrefix: name, limit: 100 })).flatMap(
          ({ recipients }) => recipients,
        );
        const fold = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
        const expected = LOOKALIKES.filter((other) => fold(other).startsWith(fold(name)));
        expect([name, [...names].sort()]).toEqual([name, [...expected].sort()]);
      }
    });

    test("a beginning that most have is found page by page", async () => {
      const ids = await Promise.all(range(1, 30).map((user) => create(`user_${user}`)));
      const wanted = [...ids].sort().reverse();
      const { activity } = fixture.storage;
      const first = (await activity.search(fixture.tenant, { recipientPrefix: "User", limit: 20 })).map(({ id }) => id);
      expect(first).toEqual(wanted.slice(0, 20));
      expect(await found({ recipientPrefix: "USER" })).toEqual(wanted);
      const after = first.at(-1) ?? "";
      const rest = await activity.search(fixture.tenant, { recipientPrefix: "user", after, limit: 20 });
      expect(rest.map(({ id }) => id)).toEqual(wanted.slice(20));
    });

    test("all names of a user are found together, each exactly", async () => {
      const mine = [
        await create("ann"),
        await send({ channel: "email", to: ["ann@example.com"] }),
        await send({ channel: "inbox", to: ["bob", "ann"] }),
      ];
      await create("anna");
      await send({ channel: "email", to: ["ann@example.comm"] });
      expect(await found({ recipients: ["ann", "ann@example.com"] })).toEqual(mine.toReversed());
      expect(await found({ recipients: ["ann", "ann@example.com"], channel: "email" })).toEqual([mine[1]]);
      expect(await found({ recipients: ["nobody"] })).toEqual([]);
    });

    test("a provider's id leads to what it was given for, with or without angle brackets, in its tenant", async () => {
      const mail = await attempted({ status: "sent", messageId: "<a1@example.com>" });
      const text = await attempted({ status: "sent", messageId: "SM2" });
      expect(await found({ providerId: "a1@example.com" })).toEqual([mail]);
      expect(await found({ providerId: "<a1@example.com>" })).toEqual([mail]);
      expect(await found({ providerId: "SM2" })).toEqual([text]);
      expect(await found({ providerId: "SM2", status: "failed" })).toEqual([]);
      expect(await found({ providerId: "SM2", id: mail })).toEqual([]);
      expect(await found({ providerId: "SM" })).toEqual([]);
      fixture.nextTenant();
      expect(await found({ providerId: "SM2" })).toEqual([]);
    });

    test("an idempotency key is found by its beginning, newest first, and page by page", async () => {
      const made: string[] = [];
      for (const key of ["order-1", "order-2", "Order-3", "invoice-1"]) {
        made.push(await send({ channel: "email", to: ["ann"], idempotency: { key, bodyHash: "h", response: "{}" } }));
      }
      const [one, two] = made;
      expect(await found({ idempotencyKey: "order-" })).toEqual([two, one]);
      expect(await found({ idempotencyKey: "order-2", providerId: "none" })).toEqual([]);
      const { activity } = fixture.storage;
      const page = await activity.search(fixture.tenant, { idempotencyKey: "order-", after: two ?? "", limit: 10 });
      expect(page.map(({ id }) => id)).toEqual([one]);
      fixture.nextTenant();
      expect(await found({ idempotencyKey: "order-" })).toEqual([]);
    });

    test("a part of an error finds what failed or is tried again, and handlers that failed", async () => {
      const failed = await attempted({ status: "failed", error: "550 Mailbox FULL" });
      const retried = await attempted({ status: "pending", error: "421 mailbox busy" });
      await attempted({ status: "sent", error: "550 mailbox full" });
      const event = fixture.entry([], { kind: "event", type: "event", source: "shop", actor: "u1" }).notification;
      const { id, tenant, data: metadata, createdAt: receivedAt } = event;
      const { hub } = fixture.storage;
      await hub.createEvents([{ id, tenant, source: "shop", sender: "u1", content: "", metadata, receivedAt }], planSome(1));
      const request = { owner: "w", at: at(9_000_000), leaseMs: 1_000, limit: 10, exceptTenants: [] };
      const claimed = present((await hub.leases.claim(request)).find(({ record }) => record.notificationId === id));
      await hub.endRecords("w", [ended(claimed, { status: "FAILED", result: null, error: "Mailbox of the model" })], at(9_000_001));
      expect(await found({ error: "mailbox" })).toEqual([id, retried, failed]);
      expect(await found({ error: "MAILBOX f" })).toEqual([failed]);
      expect(await found({ error: "x f" })).toEqual([failed]);
      expect(await found({ error: "mailbox", kind: "event" })).toEqual([id]);
      expect(await found({ error: "%" })).toEqual([]);
      fixture.nextTenant();
      expect(await found({ error: "mailbox" })).toEqual([]);
    });
  });
}

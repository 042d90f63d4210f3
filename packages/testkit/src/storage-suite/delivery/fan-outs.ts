import type { DeliveryStorage, FanOutPart, NewDelivery, NewFanOut, NewSend } from "@belfry/core/storage";
import { beforeEach, describe, expect, test } from "vitest";
import { at, range, sortBytewise, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { deliveriesOf, newSend } from "./send-entries.ts";

/** The promises of `takePart`, `writePart` and `endFanOut`. */
export function sendFanOutTests(harness: StorageHarness): void {
  describe("fan-outs with deliveries", () => {
    const fixture = useFixture(harness);
    let made = 0;

    beforeEach(async () => {
      const storage = deliveriesOf(fixture);
      for (const { as: _, ...of } of await storage.endingFanOuts(at(10_000_000))) {
        await storage.endFanOut(of, { as: "skipped" }, at(0));
      }
    });

    function users(count: number): readonly string[] {
      return sortBytewise(range(1, count).map((number) => `${fixture.tenant} ${number}`));
    }

    async function createFanOut(more: Partial<NewFanOut> = {}, to = users(1_200), tenant = fixture.tenant): Promise<NewSend> {
      const fanOut: NewFanOut = { plan: '{"of":"core"}', users: to, addresses: new Map(), chainsEach: 1, ...more };
      const own = newSend(fixture, { channel: "email", to: [] });
      const send = { ...own, notification: { ...own.notification, tenant }, fanOut };
      expect(await deliveriesOf(fixture).createSends([send], at(0))).toEqual([{ kind: "created", items: [] }]);
      return send;
    }

    /** Takes the next part of the test's tenant. */
    async function take(): Promise<FanOutPart | null> {
      const storage = deliveriesOf(fixture);
      let part = await storage.takePart(at(1));
      while (part !== null && part.notification.tenant !== fixture.tenant) {
        part = await storage.takePart(at(1));
      }
      return part;
    }

    function writtenOf({ notification, scheduledAt, recipients, place }: FanOutPart, more: Partial<NewSend> = {}): NewSend {
      const deliveries = recipients.map((recipient, index): NewDelivery => {
        made += 1;
        const id = `${notification.id.slice(0, 24)}${made.toString(16).padStart(12, "0")}`;
        const undecided = {
          recipientKind: "user",
          topic: null,
          reason: null,
          reasonSource: null,
          digest: null,
          isFallback: false,
        } as const;
        return { ...undecided, id, channel: "email", recipient, chain: place + index, status: "pending", dueInMs: 0 };
      });
      return { ...newSend(fixture, { channel: "email", to: [] }), notification, scheduledAt, deliveries, ...more };
    }

    function write(storage: DeliveryStorage, part: FanOutPart) {
      return storage.writePart(part, writtenOf(part), at(1));
    }

    async function writeAll(): Promise<void> {
      for (let part = await take(); part !== null; part = await take()) {
        await write(deliveriesOf(fixture), part);
      }
    }

    test("parts have all users once and then all addresses, with what core needs of the notification", async () => {
      const send = await createFanOut({ addresses: new Map([["webhook", ["https://a.example", "https://b.example"]]]) });
      const parts: FanOutPart[] = [];
      for (let part = await take(); part !== null; part = await take()) {
        parts.push(part);
        await write(deliveriesOf(fixture), part);
      }
      expect(parts.filter(({ channel }) => channel === null).flatMap(({ recipients }) => recipients)).toEqual(users(1_200));
      expect(parts.at(-1)).toMatchObject({ channel: "webhook", place: 1_200, recipients: ["https://a.example", "https://b.example"] });
      expect(parts[0]).toMatchObject({ plan: '{"of":"core"}', place: 0, scheduledAt: null, meta: send.details?.meta });
      expect(parts[0]?.notification).toEqual(send.notification);
      expect(await deliveriesOf(fixture).countDeliveries(fixture.tenant, send.notification.id)).toBe(1_202);
    });

    test("a part that was written is not written again, whoever took it", async () => {
      const { notification } = await createFanOut({}, users(5));
      const part = await take();
      expect(part).not.toBeNull();
      if (part !== null) {
        expect(await write(deliveriesOf(fixture), part)).toEqual([]);
        expect(await write(deliveriesOf(fixture), part)).toBeNull();
      }
      expect(await deliveriesOf(fixture).countDeliveries(fixture.tenant, notification.id)).toBe(5);
    });

    test("tenants take turns, each with its oldest part", async () => {
      const storage = deliveriesOf(fixture);
      // With so many chains each, a part has one user.
      const chainsEach = 100_000;
      for (const [name, count] of Object.entries({ b: 3, c: 1, a: 2 })) {
        await createFanOut({ chainsEach }, users(count), `${fixture.tenant} ${name}`);
      }
      const turns: string[] = [];
      for (let part = await storage.takePart(at(1)); part !== null; part = await storage.takePart(at(1), part.notification.tenant)) {
        turns.push(part.notification.tenant);
        await write(storage, part);
      }
      const own = turns.filter((tenant) => tenant.startsWith(`${fixture.tenant} `)).map((tenant) => tenant.slice(-1));
      expect(own).toEqual(["a", "b", "c", "a", "b", "b"]);
    });

    test("a part that was put off holds up no other part", async () => {
      const { notification } = await createFanOut({ chainsEach: 100_000 }, users(3));
      const storage = deliveriesOf(fixture);
      const failing = await take();
      if (failing !== null) {
        await storage.putOffPart(failing, at(1));
      }
      await writeAll();
      expect(await storage.countDeliveries(fixture.tenant, notification.id)).toBe(2);
      expect(await storage.isFannedOut(fixture.tenant, notification.id)).toBe(true);
      expect(failing && (await write(storage, failing))).toEqual([]);
      expect(await storage.countDeliveries(fixture.tenant, notification.id)).toBe(3);
    });

    test("who is erased meanwhile gets nothing: the part that was taken is not written", async () => {
      const { notification } = await createFanOut({}, users(5));
      const part = await take();
      const [gone = ""] = users(5);
      await deliveriesOf(fixture).erase(fixture.owner(gone), 10, at(1));
      expect(part && (await write(deliveriesOf(fixture), part))).toBeNull();
      await writeAll();
      expect(await deliveriesOf(fixture).countDeliveries(fixture.tenant, notification.id)).toBe(4);
    });

    test("it is pending until it has ended, and counts what was skipped", async () => {
      const { notification } = await createFanOut({}, users(3));
      const storage = deliveriesOf(fixture);
      const part = await take();
      if (part !== null) {
        const written = writtenOf(part);
        const deliveries = written.deliveries.map((one) => ({ ...one, status: "skipped", reason: "preference", dueInMs: null }) as const);
        await storage.writePart(part, { ...written, deliveries }, at(1));
      }
      expect(await storage.findSend(fixture.tenant, notification.id)).toMatchObject({ status: "pending" });
      expect(await storage.isFannedOut(fixture.tenant, notification.id)).toBe(true);
      const ending = await storage.endingFanOuts(at(1));
      expect(ending).toContainEqual({ tenant: fixture.tenant, id: notification.id, as: "written" });
      expect(await storage.endFanOut({ tenant: fixture.tenant, id: notification.id }, { as: "written" }, at(2))).toEqual({
        changed: { tenant: fixture.tenant, id: notification.id, from: "pending", to: "skipped" },
      });
      expect(await storage.findSend(fixture.tenant, notification.id)).toMatchObject({ status: "skipped" });
      expect(await storage.endFanOut({ tenant: fixture.tenant, id: notification.id }, { as: "written" }, at(2))).toBeNull();
      expect(await storage.isFannedOut(fixture.tenant, notification.id)).toBe(false);
    });

    test("a part that was taken before the end is not written after it", async () => {
      const { notification } = await createFanOut({}, users(3));
      const storage = deliveriesOf(fixture);
      const part = await take();
      const of = { tenant: fixture.tenant, id: notification.id };
      expect(await storage.endFanOut(of, { as: "cancelled", actor: "ann" }, at(2))).toMatchObject({ changed: { to: "cancelled" } });
      expect(part && (await write(storage, part))).toBeNull();
      expect(await take()).toBeNull();
      expect((await storage.listAudit(fixture.tenant, { limit: 1 }))[0]).toMatchObject({ action: "cancelled", actor: "ann" });
    });

    test("an inbox that a transaction of the host holds holds up nobody else", async () => {
      const [held = "", ...others] = users(4);
      await fixture.create(held);
      const { notification } = await createFanOut({}, [held, ...others]);
      const storage = deliveriesOf(fixture);
      const reached = new Set<string>();
      const work = async () => {
        for (let part = await take(); part !== null; part = await take()) {
          const inboxRecipients = part.recipients;
          const items = await storage.writePart(part, writtenOf(part, { inboxRecipients }), at(1));
          for (const { userId } of items ?? []) {
            reached.add(userId);
          }
          if (reached.size >= others.length) {
            return;
          }
        }
      };
      if (fixture.storage.hasSynchronousTransactions) {
        await work();
      } else {
        await fixture.subject.transaction(async (tx) => {
          await fixture.inbox.createWithin(tx, fixture.entry(held), () => undefined);
          await work();
          expect([...reached]).toEqual(others);
        });
      }
      await work();
      expect(sortBytewise([...reached])).toEqual(users(4));
      const all = await storage.deliveriesOf(fixture.tenant, [notification.id], { offset: 0, limit: 10 });
      expect(new Set(all.map(({ chain }) => chain)).size).toBe(4);
    });

    test("several at work write each part once", async () => {
      const { notification } = await createFanOut({ chainsEach: 20 });
      const work = async () => {
        for (let part = await take(); part !== null; part = await take()) {
          await write(deliveriesOf(fixture), part);
        }
      };
      await Promise.all(range(1, 4).map(work));
      await work();
      const all = await deliveriesOf(fixture).deliveriesOf(fixture.tenant, [notification.id], { offset: 0, limit: 2_000 });
      expect(sortBytewise(all.map(({ recipient }) => recipient))).toEqual(users(1_200));
    });
  });
}

import { defineTypes, type Logger, NotificationService } from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const WAIT = { timeout: 30_000, interval: 10 };
/** What is tried again waits by the clock, also where a database was busy for a moment. */
const RETRIES_MS = 2_000;
const types = defineTypes({ note: {}, letter: { channels: ["email"] } });

/** What makes the database refuse the items of one user, and what ends that. */
const REFUSALS = {
  sqlite: {
    begin: `CREATE TRIGGER refuse_items BEFORE INSERT ON belfry_inbox_items WHEN NEW.user_id = 'refused'
      BEGIN SELECT RAISE(ABORT, 'refused by the test'); END`,
    end: "DROP TRIGGER refuse_items",
  },
  postgres: {
    begin: `CREATE FUNCTION refuse_items() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused by the test'; END $$;
      CREATE TRIGGER refuse_items BEFORE INSERT ON belfry_inbox_items FOR EACH ROW WHEN (NEW.user_id = 'refused') EXECUTE FUNCTION refuse_items()`,
    end: "DROP FUNCTION refuse_items CASCADE",
  },
};

/** Runs SQL in a transaction of the host, whichever its database is. */
function runIn(tx: unknown, when: keyof typeof REFUSALS.sqlite): void | Promise<void> {
  const { exec, query } = tx as { exec?(sql: string): unknown; query?(sql: string): Promise<unknown> };
  if (exec !== undefined) {
    exec.call(tx, REFUSALS.sqlite[when]);
    return;
  }
  return query?.call(tx, REFUSALS.postgres[when]).then(() => undefined);
}

onEveryStorage((database) => {
  function users(name: string, length = 1_500): readonly string[] {
    return Array.from({ length }, (_, index) => `${name} ${index}`);
  }

  function setUp() {
    const clock = testClock();
    const storage = database.storage();
    const mails = recorder();
    const warnings: string[] = [];
    const logger: Logger = { ...silent, warn: (_, message) => void warnings.push(message) };
    const service = stopsAfterTest(new NotificationService({ storage, channels: [mails], types, clock, logger }));
    return { clock, storage, mails, warnings, service };
  }

  describe("a part of a large audience that cannot be written", () => {
    test("the items of others do not wait for it, and it is written once that is possible", async () => {
      const { clock, service, warnings } = setUp();
      await database.transaction((tx) => runIn(tx, "begin"));
      try {
        const { notification } = await service.tenant("a").create({ type: "note", to: [...users("a"), "refused"], title: "A" });
        await service.tenant("b").create({ type: "note", to: users("b"), title: "B" });
        await vi.waitFor(async () => {
          await clock.pass(RETRIES_MS);
          for (const userId of ["b 0", "b 1499"]) {
            expect(await service.tenant("b").inbox(userId).counts()).toMatchObject({ total: 1 });
          }
        }, WAIT);
        expect(await service.tenant("a").inbox("refused").counts()).toMatchObject({ total: 0 });
        await vi.waitFor(() => expect(warnings.join()).toContain("Items of a large audience could not be written."), WAIT);
        await database.transaction((tx) => runIn(tx, "end"));
        await vi.waitFor(async () => {
          await clock.pass(20_000);
          expect((await service.tenant("a").operator.timeline(notification.id)).itemCount).toBe(1_501);
        }, WAIT);
      } finally {
        await Promise.resolve(database.transaction((tx) => runIn(tx, "end"))).catch(() => undefined);
      }
    });

    test("the deliveries of others do not wait for it, and it is written once that is possible", async () => {
      const { clock, storage, service, mails, warnings } = setUp();
      const write = storage.deliveries.writePart.bind(storage.deliveries);
      let [isRefused, refused, isWritten] = [true, 0, false];
      vi.spyOn(storage.deliveries, "writePart").mockImplementation(async (part, written, at) => {
        const isFirst = part.recipients.includes("a 0@example.com");
        if (isRefused && isFirst) {
          refused = part.recipients.length;
          throw new Error("refused by the test");
        }
        isWritten ||= isFirst;
        return write(part, written, at);
      });
      const to = (name: string) => users(name, 2_500).map((user) => ({ email: `${user}@example.com` }));
      await service.tenant("a").create({ type: "letter", to: to("a"), title: "A" });
      await service.tenant("b").create({ type: "letter", to: to("b"), title: "B" });
      const reached = () => new Set(mails.tasks.map(({ recipient }) => recipient));
      await vi.waitFor(async () => {
        await clock.pass(RETRIES_MS);
        expect(refused).toBeGreaterThan(0);
        expect(reached().size).toBe(5_000 - refused);
      }, WAIT);
      expect(reached()).not.toContain("a 0@example.com");
      expect(warnings.join()).toContain("A part of a large audience could not be written.");
      isRefused = false;
      await vi.waitFor(async () => {
        await clock.pass(isWritten ? 0 : 20_000);
        expect(isWritten).toBe(true);
      }, WAIT);
      await vi.waitFor(async () => {
        await clock.pass(RETRIES_MS);
        expect(reached().size).toBe(5_000);
      }, WAIT);
    });
  });
});

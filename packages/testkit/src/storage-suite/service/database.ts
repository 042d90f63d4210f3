import { describe, expect, test } from "vitest";
import { useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

/** The promises of looking at the database from outside. */
export function databaseTests(harness: StorageHarness): void {
  describe("the database, from outside", () => {
    const fixture = useFixture(harness);
    const database = () => fixture.storage.database;

    test("it says what it is and where, with a clock that goes right", async () => {
      const { product, version, now, settings } = await database().inspect();
      expect([product, version]).toEqual([expect.stringMatching(/\w/), expect.stringMatching(/\d/)]);
      expect(Math.abs(now.getTime() - Date.now())).toBeLessThan(600_000);
      expect(Object.values(settings).filter((value) => typeof value !== "string")).toEqual([]);
      expect(database().place).toMatch(/^[a-z]+/);
    });

    test("of an open storage, no migration is pending but cleanups, and migrating again changes nothing", async () => {
      const before = await database().migrations();
      expect(before).toMatchObject({ hasTables: true, newest: before.known });
      expect(before.pending.filter(({ phase }) => phase !== "cleanup")).toEqual([]);
      await database().migrate({});
      expect(await database().migrations()).toEqual(before);
    });
  });
}

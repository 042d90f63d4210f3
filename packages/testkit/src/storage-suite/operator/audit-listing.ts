import { uuidV7 } from "@belfry/core";
import type { AuditQuery, NewAuditEntry } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { deliveriesOf } from "../delivery/send-entries.ts";
import { at, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";
const HOUR_S = 3_600;

/** The promises of lists of the audit log. */
export function auditListingTests(harness: StorageHarness): void {
  describe("lists of the audit log", () => {
    const fixture = useFixture(harness);
    const ids = uuidV7({ now: () => at(1).getTime(), after: () => () => undefined });
    const note = (line: Partial<NewAuditEntry>, second = 0) =>
      fixture.storage.activity.note(fixture.tenant, { action: "read", actor: "host", notificationId: NOBODY, ...line }, at(second));
    const list = (query: Partial<AuditQuery> = {}) => deliveriesOf(fixture).listAudit(fixture.tenant, { limit: 100, ...query });
    const details = async (query: Partial<AuditQuery>) => (await list(query)).map((line) => line.details);

    test("a line has all that was said", async () => {
      const line = {
        action: "retries_paused",
        actor: "ann",
        notificationId: NOBODY,
        targetKind: "retry_run",
        targetId: "7",
        details: "ü",
      } as const;
      await note(line, 5);
      await note({ details: "bare" });
      const [bare, full] = await list();
      expect(full).toEqual({ ...line, number: full?.number, tenant: fixture.tenant, at: at(5) });
      expect(bare).toMatchObject({ targetKind: null, targetId: null, details: "bare" });
    });

    test("each filter, and all of them together, find their lines alone, newest first", async () => {
      const notificationId = ids.next();
      await note({ details: "1", actor: "ann", action: "created", notificationId });
      await note({ details: "2", actor: "ann", action: "retried" });
      await note({ details: "3", actor: "host", action: "created" });
      await note({ details: "4", actor: "host", action: "deleted", notificationId });
      await note({ details: "5", actor: "ann", action: "user_exported", targetKind: "user", targetId: "eve" });
      await note({ details: "6", actor: "bob", action: "retries_started", targetKind: "retry_run", targetId: "eve" });
      expect(await details({ actor: "ann" })).toEqual(["5", "2", "1"]);
      expect(await details({ actor: "host" })).toEqual(["4", "3"]);
      expect(await details({ actor: "Ann" })).toEqual([]);
      expect(await details({ action: "created" })).toEqual(["3", "1"]);
      expect(await details({ action: "deleted" })).toEqual(["4"]);
      expect(await details({ notificationId: notificationId.toUpperCase() })).toEqual(["4", "1"]);
      expect(await details({ targetId: "eve" })).toEqual(["6", "5"]);
      expect(await details({ targetKind: "user" })).toEqual(["5"]);
      expect(await details({ targetKind: "user", targetId: "eve", actor: "ann", action: "user_exported" })).toEqual(["5"]);
      expect(await details({ targetKind: "user", targetId: "eve", actor: "bob" })).toEqual([]);
      fixture.nextTenant();
      expect(await list({ targetId: "eve" })).toEqual([]);
    });

    test("pages follow one another by number", async () => {
      for (const text of ["1", "2", "3", "4", "5"]) {
        await note({ details: text, actor: text === "3" ? "bob" : "ann" });
      }
      const first = await list({ actor: "ann", limit: 2 });
      const second = await list({ actor: "ann", limit: 2, before: first.at(-1)?.number ?? 0 });
      expect([first, second].map((page) => page.map((line) => line.details))).toEqual([
        ["5", "4"],
        ["2", "1"],
      ]);
    });

    test("a range of times has its lines, also when clocks were some minutes apart", async () => {
      // The lines of a day, an hour apart; one is written late by a clock that is behind.
      for (const hour of [0, 6, 12, 11.9, 18, 24]) {
        await note({ details: String(hour) }, hour * HOUR_S);
      }
      const between = (from: number, until: number) => details({ from: at(from * HOUR_S), until: at(until * HOUR_S) });
      expect(await between(6, 18)).toEqual(["11.9", "12", "6"]);
      expect(await between(11.9, 12)).toEqual(["11.9"]);
      expect(await between(12, 12.1)).toEqual(["12"]);
      expect(await between(-9, 99)).toEqual(["24", "18", "11.9", "12", "6", "0"]);
      expect(await between(30, 40)).toEqual([]);
      expect(await details({ until: at(1) })).toEqual(["0"]);
      expect(await details({ from: at(18 * HOUR_S), actor: "host" })).toEqual(["24", "18"]);
    });
  });
}

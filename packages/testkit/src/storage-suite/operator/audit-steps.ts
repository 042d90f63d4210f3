import type { AuditEntry } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { at, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { exportAll, sweepAll } from "../steps.ts";

const NOTIFICATION = "01920000-0000-7000-8000-000000000000";

/** The promises of erasing, exporting and sweeping the audit log. */
export function auditStepTests(harness: StorageHarness): void {
  describe("the audit log, step by step", () => {
    const fixture = useFixture(harness);
    const note = (tenant: string, actor: string, second: number) =>
      fixture.storage.activity.note(tenant, { action: "read", actor, notificationId: NOTIFICATION }, at(second));
    const lines = (tenant: string): Promise<readonly AuditEntry[]> => fixture.storage.activity.auditOf(tenant, NOTIFICATION, 100);

    test("a user's lines are exported, and lose their actor while they stay", async () => {
      const { tenant, storage } = fixture;
      const other = `${tenant} (other)`;
      for (const [second, actor] of ["ann", "bob", "ann", "ANN", "ann"].entries()) {
        await note(tenant, actor, second);
        await note(other, actor, second);
      }
      const before = await lines(tenant);
      const foreign = await lines(other);
      const ann = { tenant, names: ["ann"] };
      const exported = await exportAll((after) => storage.activity.exportAudit(ann, { after, limit: 2 }));
      expect(exported).toEqual([[before[0]], [before[2]], [before[4]]]);
      const erase = () => sweepAll((after) => storage.activity.eraseAudit(ann, { after, limit: 2 }));
      expect(await erase()).toBe(3);
      expect(await lines(tenant)).toEqual(before.map((line) => (line.actor === "ann" ? { ...line, actor: "" } : line)));
      expect(await lines(other)).toEqual(foreign);
      expect(await erase()).toBe(0);
      expect((await exportAll((after) => storage.activity.exportAudit(ann, { after, limit: 10 }))).flat()).toEqual([]);
    });

    test("lines of what was done to a user lose the user's names, and stay", async () => {
      const { tenant, storage } = fixture;
      const line = { action: "user_exported", actor: "bob", notificationId: NOTIFICATION, targetKind: "user" } as const;
      for (const [second, targetId] of ["ann", "ann@example.com", "cleo"].entries()) {
        await storage.activity.note(tenant, { ...line, targetId, details: "x" }, at(second));
      }
      const names = { tenant, names: ["ann", "ann@example.com"] };
      expect((await storage.activity.exportAudit(names, { after: null, limit: 9 })).records).toHaveLength(2);
      expect(await sweepAll((after) => storage.activity.eraseAudit(names, { after, limit: 2 }))).toBe(2);
      expect((await lines(tenant)).map(({ actor, targetKind, targetId, details }) => [actor, targetKind, targetId, details])).toEqual([
        ["bob", "user", null, "x"],
        ["bob", "user", null, "x"],
        ["bob", "user", "cleo", "x"],
      ]);
      expect((await storage.activity.exportAudit(names, { after: null, limit: 9 })).records).toEqual([]);
    });

    test("old lines of all tenants go", async () => {
      const tenants = [fixture.tenant, `${fixture.tenant} (other)`];
      for (const second of [1_001, 1_002, 1_003, 1_004]) {
        for (const tenant of tenants) {
          await note(tenant, "ann", second);
        }
      }
      await sweepAll((after) => fixture.storage.activity.sweepAudit(at(1_003), { after, limit: 3 }));
      for (const tenant of tenants) {
        expect((await lines(tenant)).map((line) => line.at)).toEqual([at(1_003), at(1_004)]);
      }
    });
  });
}

import { type AuditEntry, type AuditInput, type Channel, NotificationService } from "@belfry/core";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";
const ADDRESS = "ann@example.com";

onEveryStorage((database) => {
  function setUp() {
    const state = { nowMs: Date.UTC(2030, 0, 1, 12) };
    const email: Channel = {
      name: "email",
      retryDelaysMs: [],
      timeoutMs: 5_000,
      invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
      deliver: async () => ({ status: "failed", transient: false, error: "no mailbox", provider: "test" }),
    };
    const clock = { now: () => state.nowMs, after: () => () => undefined };
    const storage = database.storage();
    // A retry run stays where it began.
    vi.spyOn(storage.retryRuns, "take").mockResolvedValue(null);
    const service = stopsAfterTest(new NotificationService({ storage, channels: [email], clock, logger: silent }));
    return { service, state };
  }

  const shown = ({ action, actor, targetKind, targetId, details }: AuditEntry) => [action, actor, targetKind, targetId, details];

  async function exported(service: NotificationService, actor: string): Promise<readonly unknown[]> {
    const lines: string[] = [];
    for await (const line of service.exportUser("ann", { addresses: [ADDRESS], actor })) {
      lines.push(line);
    }
    return lines.map((line) => JSON.parse(line));
  }

  describe("the audit log", () => {
    test("has every act with its actor and target, the newest first, and finds each by what is asked", async () => {
      const { service, state } = setUp();
      const list = async (input: AuditInput) => (await service.operator.auditLog(input)).map(shown);
      const { id } = (await service.create({ to: { email: ADDRESS }, message: "x", actor: "host" })).notification;
      await service.runDue();
      state.nowMs += 60_000;
      const run = await service.operator.retries.start({ channel: "email", recipient: ADDRESS }, { actor: "eve" });
      await service.operator.retries.cancel(run.id, { actor: "fay" });
      await service.suppressions.add({ channel: "email", address: "Bob@example.com", actor: "eve" });
      await service.suppressions.lift("email", "Bob@example.com", { actor: "fay" });
      await service.operator.note({ action: "read", notificationId: id, userId: "ann", actor: "eve" });
      await service.delete(id, { actor: "fay" });
      expect(await list({ actor: "eve" })).toEqual([
        ["read", "eve", "user", "ann", null],
        ["suppressed", "eve", "address", null, "email, manual"],
        ["retries_started", "eve", "retry_run", run.id, "channel email, and more: 1 matched"],
      ]);
      const deleted = "send of type notification over email from 2030-01-01T12:00:00.000Z: failed, 1 recipient";
      expect(await list({ actor: "fay" })).toEqual([
        ["deleted", "fay", null, null, deleted],
        ["lifted", "fay", "address", null, "email"],
        ["retries_cancelled", "fay", "retry_run", run.id, "channel email, and more: 0 of 0 retried"],
      ]);
      expect((await list({ notificationId: id })).map(([action]) => action)).toEqual(["deleted", "read", "created"]);
      expect((await list({ targetId: run.id })).map(([action]) => action)).toEqual(["retries_cancelled", "retries_started"]);
      expect((await list({ targetKind: "user" })).map(([action]) => action)).toEqual(["read"]);
      expect((await list({ action: "lifted" })).map(([, actor]) => actor)).toEqual(["fay"]);
      expect((await list({ until: new Date(state.nowMs) })).map(([action]) => action)).toEqual(["created"]);
      expect(await list({ from: new Date(state.nowMs), limit: 100 })).toHaveLength(6);
      expect(await service.tenant("acme").operator.auditLog({ actor: "eve" })).toEqual([]);
    });

    test("has who exported and deleted a user's data, and then names the user nowhere", async () => {
      const { service } = setUp();
      await service.create({ to: "ann", title: "For her" });
      await service.create({ to: "bob", channels: ["inbox"], idempotencyKey: "k", title: "By her", actor: "ann" });
      const records = await exported(service, "eve");
      expect(records).toContainEqual(expect.objectContaining({ record: "audit", action: "user_exported", actor: "eve", targetId: "ann" }));
      expect(records.filter((line) => (line as { record: string }).record === "audit")).toHaveLength(2);
      await service.deleteUser("ann", { addresses: [ADDRESS], actor: "fay" });
      const lines = (await service.operator.auditLog()).map(shown);
      expect(lines).toEqual([
        ["user_deleted", "fay", "user", null, null],
        ["user_exported", "eve", "user", null, null],
        ["created", "", null, null, null],
      ]);
      // Of nobody's data, an export says that it was asked for, and not of whom.
      expect(await exported(service, "ann")).toEqual([]);
      expect((await service.operator.auditLog({ limit: 1 })).map(shown)).toEqual([["user_exported", "", "user", null, null]]);
      await service.deleteUser("ann", { actor: "ann" });
      expect((await service.operator.auditLog({ limit: 1 })).map(shown)).toEqual([["user_deleted", "", "user", null, null]]);
    });

    test("refuses what it cannot look for", async () => {
      const { service } = setUp();
      const wrong = [
        { actor: "" },
        { action: "eaten" },
        { targetKind: "dog" },
        { notificationId: "7" },
        { from: "now" },
        { limit: 1_001 },
        { by: "eve" },
      ];
      for (const input of wrong) {
        await expect(service.operator.auditLog(input as AuditInput)).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      }
      await expect(service.operator.retries.pause(NOBODY, { actor: "" })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      await expect(service.operator.note({ action: "read", notificationId: NOBODY, userId: "" })).rejects.toMatchObject({
        code: "VALIDATION_ERROR",
      });
    });
  });
});

import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { sqliteStorage } from "../src/index.ts";
import { ended, linesOf, startProcess, temporaryPath, useCleanup } from "./setup.ts";

/** How many creates are acknowledged before the process is killed. */
const ACKNOWLEDGED = 200;

describe("a process that is killed", () => {
  const cleanup = useCleanup();

  test("loses no create that it acknowledged, and leaves counts that are true", async () => {
    const path = temporaryPath(cleanup);
    const child = startProcess("create-notifications", [path]);
    cleanup(() => child.kill("SIGKILL"));
    const exit = ended(child);
    const acknowledged: string[] = [];
    for await (const id of linesOf(child)) {
      acknowledged.push(id);
      if (acknowledged.length === ACKNOWLEDGED) {
        child.kill("SIGKILL");
      }
    }
    expect(await exit).toBe("SIGKILL");
    expect(acknowledged.length).toBeGreaterThanOrEqual(ACKNOWLEDGED);

    const storage = sqliteStorage(path);
    await storage.open();
    cleanup(() => storage.close());
    for (const id of acknowledged) {
      expect(await storage.inbox.get({ tenant: "acme", userId: "ann" }, id), id).not.toBeNull();
    }
    const database = new Database(path, { readonly: true });
    cleanup(() => database.close());
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(database.pragma("foreign_key_check")).toEqual([]);
    const recount = database.prepare(
      "SELECT user_id, max(seq) AS last_seq, count(*) AS total, count(*) AS unread FROM belfry_inbox_items GROUP BY user_id ORDER BY user_id",
    );
    const counters = database.prepare("SELECT user_id, last_seq, total, unread FROM belfry_inbox_counters ORDER BY user_id");
    expect(counters.all()).toEqual(recount.all());
    // Every notification was written whole: with an item for each of its two recipients, and numbers without a gap.
    const whole = database.prepare("SELECT notification_pk FROM belfry_inbox_items GROUP BY notification_pk HAVING count(*) <> 2");
    expect(whole.all()).toEqual([]);
    expect(database.prepare("SELECT user_id FROM belfry_inbox_items GROUP BY user_id HAVING count(*) <> max(seq)").all()).toEqual([]);
  });
});

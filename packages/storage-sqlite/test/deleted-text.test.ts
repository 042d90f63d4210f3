import { readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { sqliteStorage } from "../src/index.ts";
import { entry, temporaryPath, useCleanup } from "./setup.ts";

/** How often a text stands in a file. */
function occurrences(path: string, text: string): number {
  return readFileSync(path).toString("latin1").split(text).length - 1;
}

describe("deleted text", () => {
  const cleanup = useCleanup();

  test.each(["a path", "a connection", "the host's transactions"])("written through %s, it is overwritten in the file", async (how) => {
    const path = temporaryPath(cleanup);
    const host = new Database(path);
    cleanup(() => host.close());
    host.pragma("journal_mode = WAL");
    const storage = sqliteStorage(how === "a connection" ? host : path, { durability: "normal" });
    await storage.open();
    cleanup(() => storage.close());
    const entries = Array.from({ length: 400 }, (_, index) => {
      const made = entry(`user ${index % 40}`);
      const title = index % 5 === 0 ? `secret ${index}` : "plain";
      return { ...made, notification: { ...made.notification, title, message: "m".repeat(index) } };
    });
    for (const one of entries) {
      if (how === "the host's transactions") {
        host.transaction(() => storage.inbox.createWithin(host, one, () => undefined))();
      } else {
        await storage.inbox.createMany([one]);
      }
    }
    for (const { notification } of entries.filter((one) => one.notification.title.startsWith("secret"))) {
      await storage.activity.deleteNotification("acme", notification.id, { limit: 9, at: new Date(0), actor: "x" });
    }
    host.pragma("wal_checkpoint(TRUNCATE)");
    expect([occurrences(path, "plain"), occurrences(path, "secret")]).toEqual([320, 0]);
  });
});

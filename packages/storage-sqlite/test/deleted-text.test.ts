import { readFileSync } from "node:fs";
import { NotificationService } from "@belfry/core";
import { recorder } from "@belfry/testkit/host";
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

  test.each(["deleteUser", "delete"] as const)("on a connection that enforces no foreign keys, %s leaves no address", async (how) => {
    const host = new Database(temporaryPath(cleanup));
    cleanup(() => host.close());
    host.pragma("foreign_keys = OFF");
    const directory = (ids: readonly string[]) => new Map(ids.map((id) => [id, { email: "family@example.com" }]));
    const service = new NotificationService({ storage: sqliteStorage(host), channels: [recorder()], directory });
    cleanup(() => service.stop());
    const input = { type: "note", to: ["ann", "bob"], channels: ["email"], title: "Hello", message: "World" } as const;
    const { notification } = await service.create(input);
    await service.runDue();
    const taken = host.prepare("SELECT count(*) FROM belfry_taken_addresses").pluck();
    expect(taken.get()).toBe(1);
    await (how === "delete" ? service.delete(notification.id) : Promise.all(input.to.map((user) => service.deleteUser(user))));
    expect(taken.get()).toBe(0);
  });
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { httpSuite } from "@belfry/testkit";
import { afterAll } from "vitest";
import { migratedImage } from "../../storage-sqlite/test/migrated-sqlite.ts";
import { honoHarness } from "./harness.ts";

const folders: string[] = [];

afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

// What a framework cannot change is tested once, over Express and PostgreSQL, and here where there is time.
httpSuite("Hono over SQLite", {
  ...honoHarness(async (needs) => {
    const folder = await mkdtemp(join(tmpdir(), "belfry-hono-"));
    folders.push(folder);
    const path = join(folder, "app.db");
    await writeFile(path, await migratedImage());
    return new NotificationService({ storage: sqliteStorage(path), ...needs });
  }),
  covers: process.env.BELFRY_LONG ? "everything" : "framework",
});

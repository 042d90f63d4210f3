import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { httpSuite } from "@belfry/testkit";
import { afterAll } from "vitest";
import { expressHarness } from "./harness.ts";

const folders: string[] = [];

afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

httpSuite(
  "Express over SQLite",
  expressHarness(async (needs) => {
    const folder = await mkdtemp(join(tmpdir(), "belfry-express-"));
    folders.push(folder);
    return new NotificationService({ storage: sqliteStorage(join(folder, "app.db")), ...needs });
  }),
);

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { httpSuite } from "@belfry/testkit";
import { honoHarness } from "./harness.ts";

httpSuite(
  "Hono over SQLite",
  honoHarness(async () => {
    const folder = await mkdtemp(join(tmpdir(), "belfry-hono-"));
    return new NotificationService({ storage: sqliteStorage(join(folder, "app.db")) });
  }),
);

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { httpSuite } from "@belfry/testkit";
import { expressHarness } from "./harness.ts";

httpSuite(
  "Express over SQLite",
  expressHarness(async () => {
    const folder = await mkdtemp(join(tmpdir(), "belfry-express-"));
    return new NotificationService({ storage: sqliteStorage(join(folder, "app.db")) });
  }),
);

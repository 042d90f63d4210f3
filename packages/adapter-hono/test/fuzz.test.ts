import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { fuzzSuite } from "@belfry/testkit";
import { afterAll } from "vitest";
import { honoHarness } from "./harness.ts";

const folders: string[] = [];

afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

fuzzSuite(
  "Hono over SQLite",
  honoHarness(async (needs) => {
    const folder = await mkdtemp(join(tmpdir(), "belfry-fuzz-"));
    folders.push(folder);
    return new NotificationService({ storage: sqliteStorage(join(folder, "app.db")), ...needs });
  }),
  { requests: Number(process.env.BELFRY_FUZZ ?? 250), frames: process.env.BELFRY_FUZZ ? 500 : 250 },
);

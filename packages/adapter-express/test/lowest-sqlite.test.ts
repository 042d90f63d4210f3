import { createRequire } from "node:module";
import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { httpSuite } from "@belfry/testkit";
import express4 from "express-4";
import { expect, test } from "vitest";
import { migratedSqlite } from "../../storage-sqlite/test/migrated-sqlite.ts";
import { expressHarness } from "./harness.ts";

test("the Express here is the lowest that the package's peer range allows", () => {
  const require = createRequire(import.meta.url);
  const { version } = require("express-4/package.json") as { readonly version: string };
  const { peerDependencies } = require("../package.json") as { readonly peerDependencies: Readonly<Record<string, string>> };
  expect(peerDependencies.express?.split(" ")[0]).toBe(`^${version}`);
});

httpSuite("Express 4.18 over SQLite in memory", {
  ...expressHarness(async (needs) => new NotificationService({ storage: sqliteStorage(await migratedSqlite()), ...needs }), express4),
  covers: process.env.BELFRY_LONG ? "everything" : "framework",
});

import { createRequire } from "node:module";
import { NotificationService } from "@belfry/core";
import { inboxV1 } from "@belfry/core/contracts";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { httpSuite } from "@belfry/testkit";
import { createAdaptorServer } from "@hono/node-server-lowest";
import { Hono } from "hono-lowest";
import { expect, test, vi } from "vitest";
import { migratedSqlite } from "../../storage-sqlite/test/migrated-sqlite.ts";
import { honoBelfry } from "../src/index.ts";
import { honoHarness } from "./harness.ts";

// The adapter and its host have the lowest Hono here.
vi.mock("hono", () => import("hono-lowest"));
vi.mock("hono/route", () => import("hono-lowest/route"));

test("the Hono and the server here are the lowest that the package's peer ranges allow", () => {
  const require = createRequire(import.meta.url);
  const { peerDependencies } = require("../package.json") as { readonly peerDependencies: Readonly<Record<string, string>> };
  for (const name of ["hono", "@hono/node-server"]) {
    const { version } = require(`../node_modules/${name}-lowest/package.json`) as { readonly version: string };
    expect(peerDependencies[name]?.split(" ")[0]).toBe(`^${version}`);
  }
  const service = new NotificationService({ storage: sqliteStorage(":memory:") });
  expect(honoBelfry(service, { contracts: [inboxV1()], auth: { tokens: { t: "ann" } } })).toBeInstanceOf(Hono);
});

httpSuite("Hono 4.8 over SQLite in memory", {
  ...honoHarness(
    async (needs) => new NotificationService({ storage: sqliteStorage(await migratedSqlite()), ...needs }),
    createAdaptorServer,
  ),
  covers: process.env.BELFRY_LONG ? "everything" : "framework",
});

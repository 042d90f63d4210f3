import { createServer } from "node:http";
import { NotificationService } from "@belfry/core";
import { createHandler, type HttpHandler } from "@belfry/core/http";
import { upgradeListener } from "@belfry/core/node";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { httpSuite, runServer } from "@belfry/testkit";
import { getRequestListener } from "@hono/node-server";
import { migratedSqlite } from "../../../../packages/storage-sqlite/test/migrated-sqlite.ts";

/** A host without a framework: Request in, Response out. */
async function host(handler: HttpHandler, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/host") {
    return Response.json({ host: true });
  }
  return pathname === "/host/echo" ? Response.json(await request.json()) : handler.fetch(request);
}

httpSuite("fetch over SQLite", {
  // A Request has no address.
  knowsPeer: false,
  // The adapters' suites show everything else of the contracts, which is the same code below.
  covers: process.env.BELFRY_LONG ? "everything" : "framework",
  service: async (needs) => new NotificationService({ storage: sqliteStorage(await migratedSqlite()), ...needs }),
  async serve(service, options, { prefix = "" } = {}) {
    const handler = createHandler(service, { ...options, basePath: prefix });
    const server = createServer(getRequestListener((request) => host(handler, request), { hostname: "localhost" }));
    server.on("upgrade", upgradeListener(handler, prefix));
    return runServer(server, () => handler.close());
  },
});

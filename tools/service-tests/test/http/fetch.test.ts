import { createServer } from "node:http";
import { NotificationService } from "@belfry/core";
import { createHandler, type HttpHandler } from "@belfry/core/http";
import { upgradeListener } from "@belfry/core/node";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { httpSuite, runServer } from "@belfry/testkit";
import { getRequestListener } from "@hono/node-server";

/** A host without a framework: Request in, Response out. */
async function host(handler: HttpHandler, request: Request, prefix: string): Promise<Response> {
  const url = new URL(request.url);
  if (url.pathname === "/host") {
    return Response.json({ host: true });
  }
  if (url.pathname === "/host/echo") {
    return Response.json(await request.json());
  }
  if (!url.pathname.startsWith(`${prefix}/`)) {
    return new Response(null, { status: 404 });
  }
  url.pathname = url.pathname.slice(prefix.length);
  return handler.fetch(prefix === "" ? request : new Request(url, request));
}

httpSuite("fetch over SQLite", {
  // A Request has no address.
  knowsPeer: false,
  // The adapters' suites show everything else of the contracts, which is the same code below.
  covers: process.env.BELFRY_LONG ? "everything" : "framework",
  service: async (needs) => new NotificationService({ storage: sqliteStorage(":memory:"), ...needs }),
  async serve(service, options, { prefix = "" } = {}) {
    const handler = createHandler(service, { ...options, basePath: prefix });
    const server = createServer(getRequestListener((request) => host(handler, request, prefix), { hostname: "localhost" }));
    server.on("upgrade", upgradeListener(handler, prefix));
    return runServer(server, () => handler.close());
  },
});

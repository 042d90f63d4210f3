import { createServer } from "node:http";
import { memoryStorage, NotificationService } from "@belfry/core";
import { createHandler, type HttpHandler } from "@belfry/core/http";
import { upgradeListener } from "@belfry/core/node";
import { getRequestListener } from "@hono/node-server";
import { httpSuite, runServer } from "../src/index.ts";

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

httpSuite("fetch over memory", {
  service: async (needs) => new NotificationService({ storage: memoryStorage(), ...needs }),
  async serve(service, options, { prefix = "" } = {}) {
    const handler = createHandler(service, { ...options, basePath: prefix });
    const server = createServer(getRequestListener((request) => host(handler, request, prefix)));
    server.on("upgrade", upgradeListener(handler, prefix));
    return runServer(server, () => handler.close());
  },
});

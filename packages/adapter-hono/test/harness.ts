import type { Server } from "node:http";
import { type HttpHarness, runServer } from "@belfry/testkit";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { honoBelfry } from "../src/index.ts";

/** Makes the Node server of an app. */
type CreateServer = (options: { readonly fetch: Hono["fetch"]; readonly hostname: string }) => unknown;

/** A harness for Hono on its Node server, over the storage of `service`; for another version of the server if one is given. */
export function honoHarness(service: HttpHarness["service"], createServer: CreateServer = createAdaptorServer): HttpHarness {
  return {
    service,
    async serve(notifications, options, { prefix = "", parseFirst = false } = {}) {
      const belfry = honoBelfry(notifications, { ...options, basePath: prefix });
      const app = new Hono();
      if (parseFirst) {
        app.use(async (context, next) => {
          // This stands for a host's middleware that reads every body and ignores those that are not JSON.
          await context.req.json().catch(() => null);
          await next();
        });
      }
      app.route(prefix === "" ? "/" : prefix, belfry);
      app.get("/host", (context) => context.json({ host: true }));
      app.post("/host/echo", async (context) => context.json(await context.req.json()));
      // The name stands for the host of requests without a Host header, which HTTP/1.0 allows.
      const server = createServer({ fetch: app.fetch, hostname: "localhost" }) as Server;
      server.on("upgrade", belfry.upgrade);
      return runServer(server, () => belfry.close());
    },
  };
}

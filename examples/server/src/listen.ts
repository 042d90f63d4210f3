import { createServer, type Server } from "node:http";
import { expressBelfry } from "@belfry/adapter-express";
import { honoBelfry } from "@belfry/adapter-hono";
import { type ContractService, type HandlerOptions, toFetchResponse } from "@belfry/core/http";
import { writeResponse } from "@belfry/core/node";
import type { Dashboard } from "@belfry/dashboard";
import { createAdaptorServer } from "@hono/node-server";
import cors from "cors";
import express from "express";
import { Hono } from "hono";
import { cors as honoCors } from "hono/cors";
import { mount } from "hono/mount";
import type { ServerConfig } from "./config.ts";
import { demoPage } from "./demo/demo-page.ts";
import { DASHBOARD_PATH } from "./operator-page.ts";

/** A server that was built but does not listen yet. */
export interface BuiltServer {
  readonly server: Server;
  /** Ends every open stream and socket. */
  closeStreams(): void;
}

/** The parts that a server serves: the contracts of `options`, the dashboard, and the page of the demo if it is one. */
export interface Served {
  readonly notifications: ContractService;
  readonly options: HandlerOptions;
  /** Null for a process without the dashboard. */
  readonly page: Dashboard | null;
  /** Where the files of the demo's page are; null for a host that is no demo. */
  readonly demo: URL | null;
}

/** The headers of answers that front ends of other origins may read. */
const EXPOSED_HEADERS = ["X-Unread-Count", "Retry-After"];

/** Builds the server in the framework that the configuration names. */
export function buildServer(framework: ServerConfig["framework"], served: Served): BuiltServer {
  return framework === "hono" ? honoServer(served) : expressServer(served);
}

function expressServer({ notifications, options, page, demo }: Served): BuiltServer {
  const belfry = expressBelfry(notifications, options);
  const app = express();
  app.disable("x-powered-by");
  if (options.allowedOrigins) {
    app.use(cors({ origin: [...options.allowedOrigins], exposedHeaders: EXPOSED_HEADERS, maxAge: 600 }));
  }
  app.use(belfry);
  if (page !== null) {
    app.use(DASHBOARD_PATH, page);
  }
  if (demo !== null) {
    app.use(async (request, response, next) => {
      const found = await demoPage(request.path, demo);
      return found === null ? next() : writeResponse(response, found);
    });
  }
  const server = createServer(app);
  server.on("upgrade", belfry.upgrade);
  return { server, closeStreams: () => closeAll(belfry, page) };
}

function honoServer({ notifications, options, page, demo }: Served): BuiltServer {
  const belfry = honoBelfry(notifications, options);
  const app = new Hono();
  if (options.allowedOrigins) {
    app.use(honoCors({ origin: [...options.allowedOrigins], exposeHeaders: EXPOSED_HEADERS, maxAge: 600 }));
  }
  app.route("/", belfry);
  if (page !== null) {
    app.all(`${DASHBOARD_PATH}/*`, mount(page.fetch, { replaceRequest: false }));
  }
  if (demo !== null) {
    app.get("*", async (context, next) => {
      const found = await demoPage(context.req.path, demo);
      return found === null ? next() : toFetchResponse(found);
    });
  }
  const server = createAdaptorServer({ fetch: app.fetch, hostname: "localhost" }) as Server;
  server.on("upgrade", belfry.upgrade);
  return { server, closeStreams: () => closeAll(belfry, page) };
}

function closeAll(...closeables: readonly ({ close(): void } | null)[]): void {
  for (const closeable of closeables) {
    closeable?.close();
  }
}

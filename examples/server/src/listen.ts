import { createServer, type Server } from "node:http";
import { expressBelfry } from "@belfry/adapter-express";
import { honoBelfry } from "@belfry/adapter-hono";
import type { NotificationService } from "@belfry/core";
import type { HandlerOptions } from "@belfry/core/http";
import type { Dashboard } from "@belfry/dashboard";
import { createAdaptorServer } from "@hono/node-server";
import cors from "cors";
import express from "express";
import { Hono } from "hono";
import { cors as honoCors } from "hono/cors";
import { mount } from "hono/mount";
import type { ServerConfig } from "./config.ts";
import { DASHBOARD_PATH } from "./operator-page.ts";

/** A server that was built but does not listen yet. */
export interface BuiltServer {
  readonly server: Server;
  /** Ends every open stream and socket. */
  closeStreams(): void;
}

/** The parts that a server serves: the contracts of `options`, and the dashboard. */
export interface Served {
  readonly notifications: NotificationService;
  readonly options: HandlerOptions;
  readonly page: Dashboard;
}

/** The headers of answers that front ends of other origins may read. */
const EXPOSED_HEADERS = ["X-Unread-Count", "Retry-After"];

/** Builds the server in the framework that the configuration names. */
export function buildServer(framework: ServerConfig["framework"], served: Served): BuiltServer {
  return framework === "hono" ? honoServer(served) : expressServer(served);
}

function expressServer({ notifications, options, page }: Served): BuiltServer {
  const belfry = expressBelfry(notifications, options);
  const app = express();
  app.disable("x-powered-by");
  if (options.allowedOrigins) {
    app.use(cors({ origin: [...options.allowedOrigins], exposedHeaders: EXPOSED_HEADERS, maxAge: 600 }));
  }
  app.use(belfry);
  app.use(DASHBOARD_PATH, page);
  const server = createServer(app);
  server.on("upgrade", belfry.upgrade);
  return { server, closeStreams: () => closeAll(belfry, page) };
}

function honoServer({ notifications, options, page }: Served): BuiltServer {
  const belfry = honoBelfry(notifications, options);
  const app = new Hono();
  if (options.allowedOrigins) {
    app.use(honoCors({ origin: [...options.allowedOrigins], exposeHeaders: EXPOSED_HEADERS, maxAge: 600 }));
  }
  app.route("/", belfry);
  app.all(`${DASHBOARD_PATH}/*`, mount(page.fetch, { replaceRequest: false }));
  const server = createAdaptorServer({ fetch: app.fetch, hostname: "localhost" }) as Server;
  server.on("upgrade", belfry.upgrade);
  return { server, closeStreams: () => closeAll(belfry, page) };
}

function closeAll(...closeables: readonly { close(): void }[]): void {
  for (const closeable of closeables) {
    closeable.close();
  }
}

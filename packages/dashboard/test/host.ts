import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { consoleLogger, type Logger } from "@belfry/core";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import { Hono } from "hono";
import { mount } from "hono/mount";
import { type Dashboard, type DashboardOptions, type DashboardService, dashboard } from "../src/index.ts";

/** The frameworks into which the tests mount the dashboard. */
export const FRAMEWORKS = ["express", "hono"] as const;
export type Framework = (typeof FRAMEWORKS)[number];

/** Where a host mounts the dashboard. */
export interface HostOptions extends DashboardOptions {
  readonly framework: Framework;
  /** The mount point without a trailing slash; "" for the root. */
  readonly prefix: string;
  /** @default a free port */
  readonly port?: number;
  /** Whether the host parses JSON bodies first. @default false */
  readonly parseFirst?: boolean;
}

/** A host that serves. */
export interface RunningHost {
  /** The page's address. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const ignore = () => {};

/** Shows only errors: a test that checks warnings passes a logger of its own. */
const ERRORS_ONLY: Logger = { debug: ignore, info: ignore, warn: ignore, error: (fields, message) => consoleLogger.error(fields, message) };

/** Serves the dashboard in a real host that also has a route of its own. */
export async function startHost(notifications: DashboardService, options: HostOptions): Promise<RunningHost> {
  const { framework, prefix, port = 0, parseFirst = false, ...rest } = options;
  const page = dashboard(notifications, { logger: ERRORS_ONLY, basePath: prefix, ...rest });
  const server = framework === "express" ? expressHost(page, prefix, parseFirst) : honoHost(page, prefix);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}${prefix}`,
    port: address.port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      page.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function expressHost(page: Dashboard, prefix: string, parseFirst: boolean): Server {
  const app = express();
  if (parseFirst) {
    app.use(express.json());
  }
  app.use(prefix === "" ? "/" : prefix, page);
  app.get("/host", (_request, response) => void response.json({ host: true }));
  return createServer(app);
}

function honoHost(page: Dashboard, prefix: string): Server {
  const app = new Hono();
  app.onError((_, context) => context.text("Internal Server Error", 500));
  app.get("/host", (context) => context.json({ host: true }));
  app.all(`${prefix}/*`, mount(page.fetch, { replaceRequest: false }));
  return createAdaptorServer({ fetch: app.fetch }) as Server;
}

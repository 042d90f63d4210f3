import { createServer, type Server } from "node:http";
import { expressBelfry } from "@belfry/adapter-express";
import { honoBelfry } from "@belfry/adapter-hono";
import type { NotificationService } from "@belfry/core";
import type { HandlerOptions } from "@belfry/core/http";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import { Hono } from "hono";
import type { ServerConfig } from "./config.ts";

/** A server that was built but does not listen yet. */
export interface BuiltServer {
  readonly server: Server;
  /** Ends every open stream and socket. */
  closeStreams(): void;
}

/** Builds the server in the framework that the configuration names. */
export function buildServer(notifications: NotificationService, config: ServerConfig, options: HandlerOptions): BuiltServer {
  return config.framework === "hono" ? honoServer(notifications, options) : expressServer(notifications, options);
}

function expressServer(notifications: NotificationService, options: HandlerOptions): BuiltServer {
  const belfry = expressBelfry(notifications, options);
  const app = express();
  app.disable("x-powered-by");
  app.use(belfry);
  const server = createServer(app);
  server.on("upgrade", belfry.upgrade);
  return { server, closeStreams: () => belfry.close() };
}

function honoServer(notifications: NotificationService, options: HandlerOptions): BuiltServer {
  const belfry = honoBelfry(notifications, options);
  const app = new Hono();
  app.route("/", belfry);
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.on("upgrade", belfry.upgrade);
  return { server, closeStreams: () => belfry.close() };
}

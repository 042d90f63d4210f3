import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { honoBelfry } from "@belfry/adapter-hono";
import { type DataByType, type Logger, NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { native } from "@belfry/core/contracts";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";

const ignore = () => undefined;
const SILENT: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** A service with the native contract on a free port. A user's token, or cookie `user`, is their id; one that begins with `old` is not valid any more. */
export interface Host {
  readonly url: string;
  readonly service: NotificationService;
  /** The requests that it got, without their queries. */
  readonly requests: string[];
  /** How many streams and sockets are open. */
  connections(): number;
  /** Breaks all connections. The server goes on. */
  drop(): void;
  /** Stops the server and its service; `start` starts them again on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** What a host is made with. */
export interface HostInput {
  readonly options: () => NotificationServiceOptions<DataByType>;
  /** Adds routes of its own. */
  readonly routes?: (app: Hono) => void;
}

/** Starts a host. */
export async function startHost({ options, routes = ignore }: HostInput): Promise<Host> {
  const requests: string[] = [];
  const streams = new Set<Duplex>();
  let port = 0;
  let running: { readonly service: NotificationService; readonly server: Server; close(): void } | null = null;
  const current = () => {
    if (running === null) {
      throw new Error("The host is stopped.");
    }
    return running;
  };
  const host: Host = {
    get url() {
      return `http://127.0.0.1:${port}/api/belfry/v1`;
    },
    get service() {
      return current().service;
    },
    requests,
    connections: () => streams.size,
    drop() {
      for (const socket of streams) {
        socket.destroy();
      }
    },
    async stop() {
      const { service, server, close } = current();
      running = null;
      const closed = new Promise((resolve) => void server.close(resolve));
      close();
      server.closeAllConnections();
      // A handshake that was under way is not the server's any more, nor a session of the service yet.
      host.drop();
      await closed;
      await service.stop();
    },
    async start() {
      const service = new NotificationService({ logger: SILENT, ...options() });
      await service.start();
      const belfry = honoBelfry(service, {
        contracts: [native({ topics: (topic) => topic.startsWith("open:") })],
        logger: SILENT,
        badCredentialLimiter: false,
        auth: ({ headers }) => {
          const [, byToken = ""] = /^Bearer (\S+)$/.exec(headers.authorization ?? "") ?? [];
          const [, byCookie = ""] = /(?:^|; )user=([^;]+)/.exec(headers.cookie ?? "") ?? [];
          const userId = byToken || byCookie;
          return userId === "" || userId.startsWith("old") ? null : { kind: "user", tenant: "default", userId };
        },
      });
      const app = new Hono();
      app.use(async ({ req, res: _ }, next) => {
        requests.push(`${req.method} ${req.path}`);
        await next();
      });
      routes(app);
      app.route("/", belfry);
      const server = createAdaptorServer({ fetch: app.fetch }) as Server;
      server.on("upgrade", belfry.upgrade);
      server.on("connection", (socket) => {
        socket.on("close", () => streams.delete(socket));
      });
      server.prependListener("request", ({ url = "", socket }) => {
        if (url.includes("/inbox/stream")) {
          streams.add(socket);
        }
      });
      server.prependListener("upgrade", (_, socket) => streams.add(socket));
      await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
      port = (server.address() as AddressInfo).port;
      running = { service, server, close: () => belfry.close() };
    },
  };
  await host.start();
  return host;
}

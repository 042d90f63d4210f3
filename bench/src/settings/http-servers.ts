import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expressBelfry } from "@belfry/adapter-express";
import { honoBelfry } from "@belfry/adapter-hono";
import type { NotificationService } from "@belfry/core";
import { inboxV1 } from "@belfry/core/contracts";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import { Hono } from "hono";

export type Framework = "hono" | "express";

/** What a handler by hand is asked. */
export interface Asked {
  readonly userId: string;
  /** That of the path, if it has one. */
  readonly id: string;
}

/** The answer of a careful handler: its body, and the unread count if the contract's answer has it as a header. */
export interface CarefulAnswer {
  readonly text: string;
  readonly unread?: number;
}

/** One endpoint, written by hand as applications do, and as careful engineers do. */
export interface Endpoint {
  readonly method: "get" | "patch";
  /** With `:id` where the id stands. */
  readonly path: string;
  usual(asked: Asked): object | null;
  careful?(asked: Asked): CarefulAnswer;
}

/** Takes the header's word for who asks. */
const OPTIONS = {
  auth: ({ headers }: { readonly headers: Readonly<Record<string, string | undefined>> }) => ({
    kind: "user" as const,
    tenant: "default",
    userId: headers["x-user"] ?? "",
  }),
};

/** A server with Belfry mounted. */
export function belfryServer(
  framework: Framework,
  service: NotificationService,
  contract: ReturnType<typeof inboxV1> = inboxV1(),
): Promise<Server> {
  const options = { ...OPTIONS, contracts: [contract] };
  if (framework === "hono") {
    return listen(honoServer(new Hono().route("/", honoBelfry(service, options))));
  }
  const app = expressApp();
  app.use(expressBelfry(service, options));
  return listen(createServer(app));
}

/** The path of {@link helloServer}. */
export const HELLO_PATH = "/hello";

/** A server that says hello, and does nothing else. */
export function helloServer(framework: Framework): Promise<Server> {
  const text = "hello";
  if (framework === "hono") {
    return listen(honoServer(new Hono().get(HELLO_PATH, (context) => context.text(text))));
  }
  const app = expressApp();
  app.get(HELLO_PATH, (_, response) => {
    response.writeHead(200, { "content-type": "text/plain", "content-length": text.length }).end(text);
  });
  return listen(createServer(app));
}

/** A server with the endpoint in the obvious way: the framework's own JSON. */
export function usualServer(framework: Framework, { method, path, usual }: Endpoint): Promise<Server> {
  if (framework === "hono") {
    const app = new Hono();
    app[method](path, (context) => context.json(usual({ userId: context.req.header("x-user") ?? "", id: context.req.param("id") ?? "" })));
    return listen(honoServer(app));
  }
  const app = expressApp();
  app[method](path, (request, response) => {
    response.json(usual({ userId: request.header("x-user") ?? "", id: String(request.params.id ?? "") }));
  });
  return listen(createServer(app));
}

/** A server with the endpoint as fast as its framework lets it be. */
export function carefulServer(framework: Framework, { method, path, careful }: Endpoint): Promise<Server> {
  const answer = (asked: Asked) => careful?.(asked) ?? { text: "" };
  if (framework === "hono") {
    const app = new Hono();
    app[method](path, (context) => {
      const { text, unread } = answer({ userId: context.req.header("x-user") ?? "", id: context.req.param("id") ?? "" });
      return context.body(text, 200, headersOf(unread));
    });
    return listen(honoServer(app));
  }
  const app = expressApp();
  app[method](path, (request, response) => {
    const { text, unread } = answer({ userId: String(request.headers["x-user"] ?? ""), id: String(request.params.id ?? "") });
    response.writeHead(200, { ...headersOf(unread), "content-length": Buffer.byteLength(text) }).end(text);
  });
  return listen(createServer(app));
}

/** A server that answers 304 to who names the right tag, as fast as its framework lets it be. */
export function unchangedServer(framework: Framework, path: string, tagOf: (userId: string) => string): Promise<Server> {
  if (framework === "hono") {
    const answer = ({ headers }: Request) => {
      const etag = tagOf(headers.get("x-user") ?? "");
      return new Response(null, { status: headers.get("if-none-match") === etag ? 304 : 412, headers: { etag, ...UNCHANGED } });
    };
    return listen(honoServer(new Hono().get(path, (context) => answer(context.req.raw))));
  }
  const app = expressApp();
  app.get(path, ({ headers }, response) => {
    const etag = tagOf(String(headers["x-user"] ?? ""));
    response.writeHead(headers["if-none-match"] === etag ? 304 : 412, { etag, ...UNCHANGED }).end();
  });
  return listen(createServer(app));
}

/** What is said with a 304: the browser may keep the answer, and asks each time. */
const UNCHANGED = { "cache-control": "private, no-cache", "x-content-type-options": "nosniff" };

/** The port that a server listens on. */
export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

export function closeServer(server: Server): void {
  server.closeAllConnections();
  server.close();
}

/** Starts a server. It keeps idle connections: a load opens its own once, and may need some of them much later. */
export async function listen(server: Server): Promise<Server> {
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** What an answer with a user's own data has to say: no cache may keep it, and no browser may take it for a page. */
const HEADERS = { "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff" };

function headersOf(unread: number | undefined): Record<string, string> {
  return unread === undefined ? { ...HEADERS } : { ...HEADERS, "x-unread-count": String(unread) };
}

/** An app as every side has it: it does not tell what it is made with, which would cost each of them a header. */
function expressApp(): express.Express {
  return express().disable("x-powered-by");
}

function honoServer(app: Hono): Server {
  return createAdaptorServer({ fetch: app.fetch }) as Server;
}

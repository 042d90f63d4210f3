import type { IncomingMessage, ServerResponse } from "node:http";
import { fromFetchRequest, toFetchResponse } from "@belfry/core/http";
import { fromNodeRequest, type RequestPlace, writeResponse } from "@belfry/core/node";
import type { DashboardRequest } from "./access.ts";
import { DashboardHandler } from "./dashboard-handler.ts";
import type { DashboardOptions, DashboardService } from "./dashboard-options.ts";

/** A request as Express and similar frameworks hand it to a middleware. */
export interface MiddlewareRequest extends IncomingMessage {
  /** The part of the path that the mount point matched. */
  readonly baseUrl?: string;
  /** The body, parsed by a parser of the host. */
  readonly body?: unknown;
}

/** The page and its API: middleware for Express and similar frameworks, and `fetch` for everything else. */
export interface Dashboard {
  (request: MiddlewareRequest, response: ServerResponse, next: (error?: unknown) => void): void;
  /**
   * Answers a request. Its path must lack the mount point (`mount` of Hono cuts it off) or begin with `basePath`.
   * `env` is Hono's environment on Node, which has the connection of the request.
   */
  readonly fetch: (request: Request, env?: unknown) => Promise<Response>;
  /** Ends every live stream. Call it before the server closes; pages connect again by themselves. */
  close(): void;
}

const NOT_FOUND_HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/**
 * Makes the dashboard of an installation, to be mounted anywhere. Without `authorize` it answers only requests from this machine.
 *
 * @throws BelfryError `VALIDATION_ERROR` for an invalid tenant
 * @example
 * ```ts
 * app.use("/admin/notifications", dashboard(notifications, { authorize })); // Express
 * const page = dashboard(notifications, { authorize, basePath: "/admin/notifications" });
 * app.all("/admin/notifications/*", mount(page.fetch, { replaceRequest: false })); // Hono
 * ```
 */
export function dashboard(notifications: DashboardService, options: DashboardOptions = {}): Dashboard {
  const handler = new DashboardHandler(notifications, options);
  const basePath = prefixOf(options.basePath ?? "");
  const middleware = (request: MiddlewareRequest, response: ServerResponse, next: (error?: unknown) => void): void => {
    const place = { url: request.url ?? "/", mountPath: request.baseUrl ?? "", ...bodyOf(request.body) };
    handler
      .handle({ ...fromNodeRequest(request, place), httpVersion: request.httpVersion, raw: request })
      .then((found) => (found === null ? next() : writeResponse(response, found)))
      .catch(next);
  };
  const fetch = async (request: Request, env?: unknown): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    const place = { url: below(pathname, basePath) + search, mountPath: basePath };
    const plain = { ...fromFetchRequest(request, place), ...connectionOf(env), raw: request };
    const found = await handler.handle(withHost(plain, request));
    return found === null
      ? Response.json({ error: { code: "NOT_FOUND", message: "There is nothing here." } }, { status: 404, headers: NOT_FOUND_HEADERS })
      : toFetchResponse(found);
  };
  return Object.assign(middleware, { fetch, close: () => handler.close() });
}

/** The prefix with a leading slash and no trailing one; "" for the root. */
function prefixOf(basePath: string): string {
  const name = basePath.replace(/^\/+|\/+$/g, "");
  return name === "" ? "" : `/${name}`;
}

/** The path below the prefix; the same path if the router has already cut the prefix off. */
function below(pathname: string, basePath: string): string {
  const isBelow = basePath !== "" && (pathname === basePath || pathname.startsWith(`${basePath}/`));
  return isBelow ? pathname.slice(basePath.length) || "/" : pathname;
}

/** Adds the `Host` header: on some runtimes a fetch Request has its host only in the URL. */
function withHost(request: DashboardRequest, { url }: Request): DashboardRequest {
  return request.headers.host === undefined ? { ...request, headers: { ...request.headers, host: new URL(url).host } } : request;
}

/** Reads the connection from the environment of Hono's Node server. */
function connectionOf(env: unknown): Pick<DashboardRequest, "remoteAddress" | "httpVersion"> {
  const incoming = (env as { incoming?: { socket?: { remoteAddress?: string }; httpVersion?: string } } | undefined)?.incoming;
  const { httpVersion } = incoming ?? {};
  const remoteAddress = incoming?.socket?.remoteAddress;
  return { ...(remoteAddress === undefined ? {} : { remoteAddress }), ...(httpVersion === undefined ? {} : { httpVersion }) };
}

/** The body, if a parser of the host has already read it. */
function bodyOf(body: unknown): Pick<RequestPlace, "parsedBody" | "rawBody"> {
  if (body === undefined) {
    return {};
  }
  if (body instanceof Uint8Array) {
    return { rawBody: body };
  }
  return typeof body === "string" ? { rawBody: new TextEncoder().encode(body) } : { parsedBody: { value: body } };
}

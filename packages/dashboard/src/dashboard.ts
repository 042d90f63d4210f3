import type { IncomingMessage, ServerResponse } from "node:http";
import { fromFetchRequest, toFetchResponse } from "@belfry/core/http";
import { fromNodeRequest, type RequestPlace, writeResponse } from "@belfry/core/node";
import type { DashboardRequest } from "./access.ts";
import { DashboardHandler } from "./dashboard-handler.ts";
import type { DashboardOptions, DashboardService } from "./dashboard-options.ts";

/** A request as Express and its kind hand it to a middleware. */
interface MiddlewareRequest extends IncomingMessage {
  /** The part of the path that the mount point matched. */
  readonly baseUrl?: string;
  /** What a parser of the host's made of the body. */
  readonly body?: unknown;
}

/** The page and its API: middleware for Express and its kind, and `fetch` for everything else. */
export interface Dashboard {
  (request: MiddlewareRequest, response: ServerResponse, next: (error?: unknown) => void): void;
  /**
   * Answers a request whose path has the mount point cut off, as `mount` of Hono does it, or begins with `basePath`.
   * `env` is what Hono passes on from its Node server: where the request came from.
   */
  readonly fetch: (request: Request, env?: unknown) => Promise<Response>;
  /** Ends every live stream, for a server that is about to close; pages come again by themselves. */
  close(): void;
}

const NOT_FOUND_HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/**
 * The dashboard of an installation, to be mounted anywhere. Without `authorize` it answers requests from this machine only.
 *
 * @throws BelfryError `VALIDATION_ERROR` for a tenant that cannot be one
 * @example
 * ```ts
 * app.use("/admin/notifications", dashboard(notifications, { authorize })); // Express
 * app.all("/admin/notifications/*", mount(dashboard(notifications, { authorize }).fetch)); // Hono
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

/** A prefix with a slash before it and none at its end; "" for the root. */
function prefixOf(basePath: string): string {
  const name = basePath.replace(/^\/+|\/+$/g, "");
  return name === "" ? "" : `/${name}`;
}

/** The path below the prefix; as it is, where the router has cut the prefix off already. */
function below(pathname: string, basePath: string): string {
  const isBelow = basePath !== "" && (pathname === basePath || pathname.startsWith(`${basePath}/`));
  return isBelow ? pathname.slice(basePath.length) || "/" : pathname;
}

/** A fetch Request of some runtimes has its host in the URL alone. */
function withHost(request: DashboardRequest, { url }: Request): DashboardRequest {
  return request.headers.host === undefined ? { ...request, headers: { ...request.headers, host: new URL(url).host } } : request;
}

/** What Hono's Node server tells of the connection. */
function connectionOf(env: unknown): Pick<DashboardRequest, "remoteAddress" | "httpVersion"> {
  const incoming = (env as { incoming?: { socket?: { remoteAddress?: string }; httpVersion?: string } } | undefined)?.incoming;
  const { httpVersion } = incoming ?? {};
  const remoteAddress = incoming?.socket?.remoteAddress;
  return { ...(remoteAddress === undefined ? {} : { remoteAddress }), ...(httpVersion === undefined ? {} : { httpVersion }) };
}

/** The body, where a parser of the host's was there first. */
function bodyOf(body: unknown): Pick<RequestPlace, "parsedBody" | "rawBody"> {
  if (body === undefined) {
    return {};
  }
  if (body instanceof Uint8Array) {
    return { rawBody: body };
  }
  return typeof body === "string" ? { rawBody: new TextEncoder().encode(body) } : { parsedBody: { value: body } };
}

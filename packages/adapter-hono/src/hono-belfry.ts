import {
  type ContractService,
  fromFetchRequest,
  type HandlerOptions,
  type HttpRequest,
  type HttpResponse,
  toFetchResponse,
} from "@belfry/core/http";
import { type Mounted, mounted } from "@belfry/core/node";
import { type Context, Hono } from "hono";
import { baseRoutePath } from "hono/route";

/** The options of a mount into Hono. WebSockets below a prefix need `basePath`: `"/x"` for a mount at `/x`. */
export type HonoBelfryOptions = HandlerOptions;

/** A Hono app that answers Belfry's paths and passes on all others. */
export interface HonoBelfry extends Hono, Mounted {}

/**
 * Mounts Belfry's contracts into Hono, beside the host's own routes, at any depth. REST and SSE work wherever Hono runs;
 * WebSockets need Node's server.
 *
 * @throws BelfryError `CONFIGURATION` for authentication that cannot work
 * @example
 * ```ts
 * const belfry = honoBelfry(notifications, { contracts: [inboxV1()], auth: { jwt: { secret } } });
 * app.route("/", belfry);
 * serve(app).on("upgrade", belfry.upgrade);
 * ```
 */
export function honoBelfry(service: ContractService, options: HonoBelfryOptions): HonoBelfry {
  const mount = mounted(service, options);
  const basePath = (options.basePath ?? "").replace(/\/$/, "");
  const app = new Hono();
  // An answer that is no promise takes the shortest way through Hono and its server.
  app.all("*", (context, next): Response | Promise<Response> => {
    // Hono takes what `next` returns, though its types ask for a response.
    const made = (response: HttpResponse | null): Response => (response === null ? next() : toFetchResponse(response)) as Response;
    const response = mount.handler.handle(plainRequest(context, basePath));
    return response instanceof Promise ? response.then(made) : made(response);
  });
  return Object.assign(app, mount);
}

function plainRequest(context: Context, basePath: string): HttpRequest {
  const target = targetIn(context.req.url);
  const mountPath = mountPathOf(context, target, basePath);
  // app.mount() cuts the prefix off the paths.
  const below = target.slice(mountPath.length);
  const url = below.startsWith("/") ? below : `/${below}`;
  const request = fromFetchRequest(context.req.raw, { url, mountPath: mountPath || basePath }, remoteAddressOf(context));
  // A middleware of the host may have read the body; Hono then has a copy.
  const hasCopy = context.req.raw.bodyUsed && Object.keys(context.req.bodyCache).length > 0;
  return hasCopy ? { ...request, body: async () => new Uint8Array(await context.req.arrayBuffer()) } : request;
}

/** The path and query of a URL. A request's URL is a normal one already, so it is only cut. */
function targetIn(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + "://".length);
  const end = url.indexOf("#", start);
  return start < 0 ? "/" : url.slice(start, end < 0 ? undefined : end);
}

/** The part of the path that the mount point matched: as many segments as the mount point has, however they are encoded. */
function mountPathOf(context: Context, target: string, basePath: string): string {
  const mountPoint = mountPointOf(context);
  if (mountPoint === "" || mountPoint === "/" || (mountPoint === null && basePath === "")) {
    return "";
  }
  const [pathname = ""] = target.split("?", 1);
  if (mountPoint === null) {
    return pathname === basePath || pathname.startsWith(`${basePath}/`) ? basePath : "";
  }
  const segments = mountPoint.split("/").filter(Boolean).length;
  return pathname
    .split("/")
    .slice(0, segments + 1)
    .join("/");
}

/** The mount point; null for a context of another copy of Hono (another version, or CommonJS beside ESM), whose routes this copy cannot read. */
function mountPointOf(context: Context): string | null {
  try {
    return baseRoutePath(context);
  } catch {
    // This is the only error it throws: the context has no routes for this copy of Hono.
    return null;
  }
}

/** The address of the other end, which only Node's server tells. */
function remoteAddressOf(context: Context): string | undefined {
  const env = context.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined;
  return env?.incoming?.socket?.remoteAddress;
}

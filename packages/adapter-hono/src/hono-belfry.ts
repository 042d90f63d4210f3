import {
  type ContractService,
  createHandler,
  fromFetchRequest,
  type HandlerOptions,
  type HttpHandler,
  type HttpRequest,
  toFetchResponse,
} from "@belfry/core/http";
import { type UpgradeListener, upgradeListener } from "@belfry/core/node";
import { type Context, Hono } from "hono";
import { baseRoutePath } from "hono/route";

/** How Belfry is mounted into Hono. `basePath` is needed for WebSockets below a prefix: `"/x"` for a mount at `/x`. */
export type HonoBelfryOptions = HandlerOptions;

/** A Hono app that answers Belfry's paths and passes every other one on. */
export interface HonoBelfry extends Hono {
  /** To be given to the Node server: `serve(app).on("upgrade", belfry.upgrade)`. */
  readonly upgrade: UpgradeListener;
  /** The handler inside, for its OpenAPI documents. */
  readonly handler: HttpHandler;
  /** Ends every open stream and socket (1012), for a server that is about to close. */
  close(): void;
}

/**
 * Mounts Belfry's contracts into Hono, beside the host's own routes, at any depth. REST and SSE work wherever Hono runs,
 * WebSockets on Node's server.
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
  const handler = createHandler(service, options);
  const basePath = (options.basePath ?? "").replace(/\/$/, "");
  const app = new Hono();
  app.all("*", async (context, next) => {
    const response = await handler.handle(plainRequest(context, basePath));
    if (response === null) {
      return next();
    }
    return toFetchResponse(response);
  });
  return Object.assign(app, {
    handler,
    upgrade: upgradeListener(handler, options.basePath),
    close: () => handler.close(),
  });
}

function plainRequest(context: Context, basePath: string): HttpRequest {
  const { pathname, search } = new URL(context.req.url);
  const mountPath = mountPathOf(context, pathname, basePath);
  // An app that was mounted with app.mount() gets its paths without the prefix.
  const place = { url: (pathname.slice(mountPath.length) || "/") + search, mountPath: mountPath || basePath };
  const request = { ...fromFetchRequest(context.req.raw, place), ...remoteAddressOf(context) };
  // A middleware of the host may have read the body; Hono then has a copy.
  const hasCopy = context.req.raw.bodyUsed && Object.keys(context.req.bodyCache).length > 0;
  return hasCopy ? { ...request, body: async () => new Uint8Array(await context.req.arrayBuffer()) } : request;
}

/** The part of the path that the mount point matched: as many segments as it has, however they are encoded. */
function mountPathOf(context: Context, pathname: string, basePath: string): string {
  const mountPoint = mountPointOf(context);
  if (mountPoint === null) {
    return pathname === basePath || pathname.startsWith(`${basePath}/`) ? basePath : "";
  }
  const segments = mountPoint.split("/").filter(Boolean).length;
  return segments === 0
    ? ""
    : pathname
        .split("/")
        .slice(0, segments + 1)
        .join("/");
}

/** Null for a context of another copy of Hono (another version, or CommonJS beside ESM), which keeps its routes where this one cannot look. */
function mountPointOf(context: Context): string | null {
  try {
    return baseRoutePath(context);
  } catch {
    // The one error it has: there is nothing where it looks.
    return null;
  }
}

/** Node's server tells who is at the other end. */
function remoteAddressOf(context: Context): Pick<HttpRequest, "remoteAddress"> {
  const env = context.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined;
  const remoteAddress = env?.incoming?.socket?.remoteAddress;
  return remoteAddress === undefined ? {} : { remoteAddress };
}

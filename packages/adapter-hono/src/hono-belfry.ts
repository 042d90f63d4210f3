import {
  type ContractService,
  createHandler,
  fromFetchRequest,
  type Handler,
  type HandlerOptions,
  type HttpRequest,
  toFetchResponse,
} from "@belfry/core/http";
import { type UpgradeListener, upgradeListener } from "@belfry/core/node";
import { type Context, Hono } from "hono";
import { routePath } from "hono/route";

/** How Belfry is mounted into Hono. `basePath` is needed for WebSockets below a prefix: `"/x"` for a mount at `/x`. */
export type HonoBelfryOptions = HandlerOptions;

/** A Hono app that answers Belfry's paths and passes every other one on. */
export interface HonoBelfry extends Hono {
  /** To be given to the Node server: `serve(app).on("upgrade", belfry.upgrade)`. */
  readonly upgrade: UpgradeListener;
  /** The handler inside, for its OpenAPI documents. */
  readonly handler: Handler;
  /** Ends every open stream and socket (1012), for a server that is about to close. */
  close(): void;
}

/**
 * Mounts Belfry's contracts into Hono, beside the host's own routes, at any depth.
 *
 * @example
 * ```ts
 * const belfry = honoBelfry(notifications, { contracts: [inboxV1()], auth: { jwt: { secret } } });
 * app.route("/", belfry);
 * serve(app).on("upgrade", belfry.upgrade);
 * ```
 */
export function honoBelfry(service: ContractService, options: HonoBelfryOptions): HonoBelfry {
  const handler = createHandler(service, options);
  const app = new Hono();
  app.all("*", async (context, next) => {
    const response = await handler.handle(plainRequest(context));
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

function plainRequest(context: Context): HttpRequest {
  const { pathname, search } = new URL(context.req.url);
  const mountPath = routePath(context).replace(/\/\*$/, "");
  const place = { url: (pathname.slice(mountPath.length) || "/") + search, mountPath };
  const request = fromFetchRequest(context.req.raw, place);
  // A middleware of the host may have read the body; Hono then has a copy.
  return context.req.raw.bodyUsed ? { ...request, body: async () => new Uint8Array(await context.req.arrayBuffer()) } : request;
}

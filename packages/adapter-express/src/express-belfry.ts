import type { ContractService, HandlerOptions, HttpResponse } from "@belfry/core/http";
import { fromNodeRequest, type Mounted, mounted, type RequestPlace, writeResponse } from "@belfry/core/node";
import type { NextFunction, Request, Response } from "express";

/** The options of a mount into Express. WebSockets below a prefix need `basePath`: `"/x"` for a mount at `/x`. */
export type ExpressBelfryOptions = HandlerOptions;

/** Express middleware that answers Belfry's paths and passes on all others. */
export interface ExpressBelfry extends Mounted {
  (request: Request, response: Response, next: NextFunction): void;
}

/**
 * Mounts Belfry's contracts into Express 4.18 or 5, before or after `express.json()`, at any depth.
 *
 * @throws BelfryError `CONFIGURATION` for authentication that cannot work
 * @example
 * ```ts
 * const belfry = expressBelfry(notifications, { contracts: [inboxV1()], auth: { jwt: { secret } } });
 * app.use(belfry);
 * const server = app.listen(3000);
 * server.on("upgrade", belfry.upgrade);
 * ```
 */
export function expressBelfry(service: ContractService, options: ExpressBelfryOptions): ExpressBelfry {
  const mount = mounted(service, options);
  const middleware = (request: Request, response: Response, next: NextFunction): void => {
    const unread = { url: request.url, mountPath: request.baseUrl, origin: () => originOf(request) };
    const place: RequestPlace = request.body === undefined ? unread : { ...unread, ...bodyOf(request) };
    const write = (answer: HttpResponse | null) => (answer === null ? next() : writeResponse(response, answer));
    const answer = mount.handler.handle(fromNodeRequest(request, place, addressOf(request)));
    if (answer instanceof Promise) {
      answer.then(write).catch(next);
    } else {
      write(answer);
    }
  };
  return Object.assign(middleware, mount);
}

/**
 * The address behind the proxies that the host trusts ("trust proxy"), or the one that a middleware of the host set; undefined for
 * that of the connection. Express looks for proxies in every request, even if none is named.
 */
function addressOf(request: Request): string | undefined {
  return request.headers["x-forwarded-for"] === undefined && !Object.hasOwn(request, "ip") ? undefined : request.ip;
}

/** The scheme and host of a request. The headers of proxies count if the host trusts them ("trust proxy"). */
function originOf(request: Request): string | undefined {
  const isTrusted: (address: string | undefined, hop: number) => boolean = request.app.get("trust proxy fn");
  const forwarded = isTrusted(request.socket.remoteAddress, 0) ? request.get("x-forwarded-host")?.split(",", 1)[0]?.trim() : undefined;
  const host = forwarded ?? request.get("host");
  return host === undefined ? undefined : `${request.protocol}://${host}`;
}

/** The body, if a parser of the host has already read it: `express.json()` leaves a value, `raw()` and `text()` leave the raw body. */
function bodyOf(request: Request): Pick<RequestPlace, "parsedBody" | "rawBody"> {
  const body: unknown = request.body;
  if (body === undefined || isUnread(request)) {
    return {};
  }
  if (body instanceof Uint8Array) {
    return { rawBody: body };
  }
  return typeof body === "string" ? { rawBody: Buffer.from(body) } : { parsedBody: { value: body } };
}

/** Whether a parser of Express 4 left the body to others: it puts an empty object where Express 5 puts nothing. */
function isUnread(request: Request): boolean {
  const body: unknown = request.body;
  return typeof body === "object" && body !== null && Object.keys(body).length === 0 && !request.readableDidRead;
}

import type { HandlerOptions } from "./handler-options.ts";
import type { HttpRequest } from "./messages.ts";

const LOOPBACK_ADDRESS = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i;
const LOOPBACK_HOST = /^(?:localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** The values of `Sec-Fetch-Site` that browsers send for a page of another origin. */
const FOREIGN_SITES: readonly (string | undefined)[] = ["cross-site", "same-site"];

/** Headers that proxies add. A request with one of them came from another machine, even if its last hop was on this one. */
const PROXY_HEADERS =
  /^(?:x-forwarded|x-original)(?:-|$)|^(?:forwarded|via|x-real-ip|x-client-ip|x-cluster-client-ip|true-client-ip|cf-connecting-ip)$/;

/** The HTTP versions that browsers use. Some proxies forward requests as HTTP/1.0 by default, as nginx long did. */
const BROWSER_HTTP_VERSION = /^(?:1\.1|2|2\.0|3|3\.0)$/;

/** A request with the facts known about its connection. */
export interface ConnectedRequest extends Pick<HttpRequest, "remoteAddress" | "headers"> {
  readonly httpVersion?: string;
}

/**
 * Whether a request comes from this machine. The peer's address alone does not prove it. A page of another site can point
 * its name here (DNS rebinding) and connect from here too, but its `Host` is that site's name. A proxy on this machine
 * connects from here for everybody. If the proxy adds no header, its requests look like this machine's own.
 */
export function isLocalRequest({ remoteAddress, httpVersion, headers }: ConnectedRequest): boolean {
  return (
    LOOPBACK_ADDRESS.test(remoteAddress ?? "") &&
    BROWSER_HTTP_VERSION.test(httpVersion ?? "") &&
    LOOPBACK_HOST.test(headers.host ?? "") &&
    (headers.origin === undefined || LOOPBACK_HOST.test(hostOf(headers.origin) ?? "")) &&
    !hasProxyTrace(headers)
  );
}

/**
 * Whether a page of another site calls an API that needs no credential. Browsers send the page's origin in `Origin`. For a
 * change without `Origin`, `Sec-Fetch-Site` says where the page is from. The `Host` header reveals a site that pointed its name to this machine
 * (DNS rebinding).
 */
export function isForeignPage(
  { method, remoteAddress, headers }: Pick<HttpRequest, "method" | "remoteAddress" | "headers">,
  allowed: readonly string[] = [],
): boolean {
  const { origin, host = "" } = headers;
  if (origin !== undefined && !allowed.includes(origin)) {
    return hostOf(origin) !== host.toLowerCase();
  }
  if (origin === undefined && method !== "GET" && method !== "HEAD" && FOREIGN_SITES.includes(headers["sec-fetch-site"])) {
    return true;
  }
  return LOOPBACK_ADDRESS.test(remoteAddress ?? "") && host !== "" && !LOOPBACK_HOST.test(host) && !hasProxyTrace(headers);
}

function hasProxyTrace(headers: HttpRequest["headers"]): boolean {
  return Object.entries(headers).some(([name, value]) => value !== undefined && PROXY_HEADERS.test(name));
}

/**
 * Returns why a request's origin may not open a WebSocket, or null if it may. A browser sends cookies with any page's
 * handshake, so the page's Origin must be one that the host trusts:
 *
 * - With `allowedOrigins`, an Origin must be listed.
 * - Without it, if `auth` is a function of the host, an Origin must be the host itself.
 * - A request with a Cookie must have an Origin in both cases. Clients other than browsers send neither.
 *
 * No browser sends the built-in kinds of credentials by itself. With them any Origin is allowed, unless a list is given.
 */
export function originProblem({ allowedOrigins, auth }: HandlerOptions, { headers }: HttpRequest): string | null {
  const { origin, host, cookie } = headers;
  const isGuarded = allowedOrigins !== undefined || typeof auth === "function";
  if (!isGuarded) {
    return null;
  }
  if (origin === undefined) {
    return cookie === undefined ? null : "A WebSocket with a Cookie needs an Origin.";
  }
  if (allowedOrigins !== undefined) {
    return allowedOrigins.includes(origin) ? null : "This origin may not open WebSockets here.";
  }
  return hostOf(origin) === host?.toLowerCase()
    ? null
    : "This origin may not open WebSockets here: it is not the host itself. The server's option allowedOrigins lists others.";
}

/** Returns the host of an origin, or null for none, as of the "null" that sandboxed frames send. */
function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

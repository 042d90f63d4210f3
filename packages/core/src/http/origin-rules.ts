import type { HandlerOptions } from "./handler-options.ts";
import type { HttpRequest } from "./messages.ts";

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

function hostOf(origin: string): string | null {
  try {
    return new URL(origin).host;
  } catch {
    // `new URL` has only this error. Sandboxed frames send "null", which is no host either.
    return null;
  }
}

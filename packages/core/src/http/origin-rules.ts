import type { HandlerOptions } from "./handler-options.ts";
import type { HttpRequest } from "./messages.ts";

/**
 * Why a WebSocket may not be opened from where the request comes; null when it may. A browser sends cookies with any
 * page's handshake, so that the page's Origin has to be one that the host trusts:
 *
 * - With `allowedOrigins`, an Origin must be listed.
 * - Without it, where a function of the host's looks at the request, an Origin must be the host itself.
 * - A request with a Cookie must have an Origin in both cases. Clients that are no browsers send neither.
 *
 * Where credentials are of the ready kinds, which no browser sends by itself, any Origin is fine unless a list is given.
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
    // The one error URL has. "null", as sandboxed frames send it, is no host either.
    return null;
  }
}

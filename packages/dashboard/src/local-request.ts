import type { HttpRequest } from "@belfry/core/http";

const LOOPBACK_ADDRESS = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i;
const LOOPBACK_HOST = /^(?:localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** What proxies add: the request came from elsewhere, though its last step was on this machine. */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/**
 * Whether a request comes from this very machine. The peer's address alone does not tell: a page of another site whose
 * name was made to point here (DNS rebinding) connects from here too, but its `Host` is that site's.
 */
export function isLocalRequest({ remoteAddress, headers }: Pick<HttpRequest, "remoteAddress" | "headers">): boolean {
  return (
    LOOPBACK_ADDRESS.test(remoteAddress ?? "") &&
    LOOPBACK_HOST.test(headers.host ?? "") &&
    PROXY_HEADERS.every((name) => headers[name] === undefined)
  );
}

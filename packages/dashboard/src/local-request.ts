import type { HttpRequest } from "@belfry/core/http";

const LOOPBACK_ADDRESS = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i;
const LOOPBACK_HOST = /^(?:localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** What proxies add: the request came from elsewhere, though its last step was on this machine. */
const PROXY_HEADERS =
  /^(?:x-forwarded|x-original)(?:-|$)|^(?:forwarded|via|x-real-ip|x-client-ip|x-cluster-client-ip|true-client-ip|cf-connecting-ip)$/;

/** Browsers speak these; some proxies, nginx for long among them, pass requests on as HTTP/1.0 unless they are told otherwise. */
const BROWSER_HTTP_VERSION = /^(?:1\.1|2|2\.0|3|3\.0)$/;

/** A request with what is known of its connection. */
interface Connected extends Pick<HttpRequest, "remoteAddress" | "headers"> {
  readonly httpVersion?: string;
}

/**
 * Whether a request comes from this very machine. The peer's address alone does not tell: a page of another site whose
 * name was made to point here (DNS rebinding) connects from here too, but its `Host` is that site's, and a proxy on this
 * machine connects from here for everybody. A proxy that leaves no trace cannot be told from the machine itself.
 */
export function isLocalRequest({ remoteAddress, httpVersion, headers }: Connected): boolean {
  return (
    LOOPBACK_ADDRESS.test(remoteAddress ?? "") &&
    BROWSER_HTTP_VERSION.test(httpVersion ?? "") &&
    LOOPBACK_HOST.test(headers.host ?? "") &&
    (headers.origin === undefined || isLoopbackOrigin(headers.origin)) &&
    !Object.entries(headers).some(([name, value]) => value !== undefined && PROXY_HEADERS.test(name))
  );
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && LOOPBACK_HOST.test(new URL(origin).host);
}

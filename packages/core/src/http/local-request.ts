import type { HttpRequest } from "./messages.ts";

const LOOPBACK_ADDRESS = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i;
const LOOPBACK_HOST = /^(?:localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** Headers that proxies add. With one of them a request came from elsewhere, though its last step was on this machine. */
const PROXY_HEADERS =
  /^(?:x-forwarded|x-original)(?:-|$)|^(?:forwarded|via|x-real-ip|x-client-ip|x-cluster-client-ip|true-client-ip|cf-connecting-ip)$/;

/** The versions that browsers use. Some proxies pass requests on as HTTP/1.0 by default; nginx did so for long. */
const BROWSER_HTTP_VERSION = /^(?:1\.1|2|2\.0|3|3\.0)$/;

/** A request with the facts known about its connection. */
interface Connected extends Pick<HttpRequest, "remoteAddress" | "headers"> {
  readonly httpVersion?: string;
}

/**
 * Whether a request comes from this very machine. The peer's address alone does not tell. A page of another site can make
 * its name point here (DNS rebinding) and connect from here too, but its `Host` is that site's name. A proxy on this
 * machine connects from here for everybody; if it adds no header, nothing tells it from the machine itself.
 */
export function isLocalRequest({ remoteAddress, httpVersion, headers }: Connected): boolean {
  return (
    LOOPBACK_ADDRESS.test(remoteAddress ?? "") &&
    BROWSER_HTTP_VERSION.test(httpVersion ?? "") &&
    LOOPBACK_HOST.test(headers.host ?? "") &&
    (headers.origin === undefined || isLoopbackOrigin(headers.origin)) &&
    !hasProxyTrace(headers)
  );
}

/**
 * Whether a page of another site asks an API that needs no credential: browsers name the page in `Origin`, and a site whose
 * name was made to point to this machine (DNS rebinding) shows by its `Host`.
 */
export function isForeignPage(
  { remoteAddress, headers }: Pick<HttpRequest, "remoteAddress" | "headers">,
  allowed: readonly string[] = [],
): boolean {
  const { origin, host = "" } = headers;
  if (origin !== undefined && !allowed.includes(origin)) {
    const isItself = URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
    return !isItself;
  }
  return LOOPBACK_ADDRESS.test(remoteAddress ?? "") && host !== "" && !LOOPBACK_HOST.test(host) && !hasProxyTrace(headers);
}

function hasProxyTrace(headers: HttpRequest["headers"]): boolean {
  return Object.entries(headers).some(([name, value]) => value !== undefined && PROXY_HEADERS.test(name));
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && LOOPBACK_HOST.test(new URL(origin).host);
}

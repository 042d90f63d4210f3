import { isIP } from "node:net";
import { mayReach } from "./address-rules.ts";
import { mayUsePort } from "./port-rules.ts";

/** The longest URL that is accepted, in UTF-16 code units. */
export const MAX_URL_LENGTH = 2_048;

/** The parts of an accepted URL. If it has a name, that is still to be looked up. */
export interface Target {
  readonly tls: boolean;
  /** A name, or a bare IP address (IPv6 without brackets). */
  readonly hostname: string;
  /** Whether `hostname` is an IP address. */
  readonly isLiteral: boolean;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  /** The `Host` header's value. */
  readonly hostHeader: string;
}

/** Splits `url` into its parts, or says why it is refused. It looks nothing up. */
export function parseTarget(url: string, allowPrivate: boolean): Target | { readonly refused: string } {
  const refused = textRefusal(url);
  if (refused) {
    return { refused };
  }
  const parsed = URL.parse(url);
  if (!parsed) {
    return { refused: "is not a URL" };
  }
  const target = targetOf(parsed);
  const reason = schemeRefusal(parsed, allowPrivate) ?? placeRefusal(target, allowPrivate);
  return reason ? { refused: reason } : target;
}

function textRefusal(url: string): string | null {
  if (url.length > MAX_URL_LENGTH) {
    return `must have at most ${MAX_URL_LENGTH} characters`;
  }
  // The URL parser drops tabs and line breaks, so the stored URL and the called URL would differ.
  return hasControlOrSpace(url) ? "must not contain spaces or control characters" : null;
}

function hasControlOrSpace(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || code === 0x7f) {
      return true;
    }
  }
  return false;
}

function schemeRefusal(url: URL, allowPrivate: boolean): string | null {
  if (url.protocol !== "https:" && !(allowPrivate && url.protocol === "http:")) {
    return allowPrivate ? "must begin with https:// or http://" : "must begin with https://";
  }
  return url.username !== "" || url.password !== "" ? "must not contain a user name or password" : null;
}

function placeRefusal(target: Target, allowPrivate: boolean): string | null {
  if (!mayUsePort(target.port)) {
    return `must not use port ${target.port}; use 443, or one above 1023 that no other service is known for`;
  }
  const reachable = target.isLiteral ? mayReach(target.hostname, allowPrivate) : allowPrivate || !isLocalName(target.hostname);
  return reachable ? null : "must not point to a private, local or reserved address";
}

function isLocalName(hostname: string): boolean {
  const name = hostname.replace(/\.$/, "");
  return name === "localhost" || name.endsWith(".localhost");
}

function targetOf(url: URL): Target {
  const tls = url.protocol === "https:";
  // `URL` has already turned 127.1, 0x7f000001 and 2130706433 into 127.0.0.1.
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    tls,
    hostname,
    isLiteral: isIP(hostname) !== 0,
    port: url.port === "" ? (tls ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    hostHeader: url.host,
  };
}

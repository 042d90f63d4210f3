import type { HandlerOptions } from "./handler-options.ts";
import type { HttpRequest } from "./messages.ts";

const PRIVATE =
  /^(?:::ffff:)?(?:127\.|10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.)|^::1$|^f[cd][0-9a-f]{2}:|^fe[89ab][0-9a-f]:/i;

/** Whether an address belongs to a private network or this machine. Such a peer is often a proxy for many callers. */
export function isPrivateAddress(address: string): boolean {
  return PRIVATE.test(address);
}

/**
 * Returns the address to count a request by, or null for none. The host's own function decides if there is one. Otherwise it
 * is the peer's address, unless that is unknown or private: many callers may stand behind it.
 */
export function clientAddress({ clientAddress: named }: Pick<HandlerOptions, "clientAddress">, request: HttpRequest): string | null {
  const address = named?.(request);
  if (address !== undefined) {
    return addressKey(address);
  }
  const { remoteAddress } = request;
  return remoteAddress === undefined || isPrivateAddress(remoteAddress) ? null : addressKey(remoteAddress);
}

/**
 * Returns the key to count an address by. For IPv6 it is the /64, because one household or rented machine owns a whole /64
 * and changes addresses within it.
 */
export function addressKey(address: string): string {
  const [bare = ""] = address.replace(/^::ffff:(?=\d+\.)/i, "").split("%", 1);
  if (!bare.includes(":")) {
    return bare;
  }
  const [head = "", tail] = bare.split("::", 2);
  const left = head.split(":").filter(Boolean);
  const right = tail === undefined ? [] : tail.split(":").filter(Boolean);
  const missing = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: missing }, () => "0"), ...right].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}

import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Who may reach an address: everyone, only a host that allows private targets, or nobody. */
export type AddressClass = "public" | "private" | "never";

/** The private targets that a host can allow: its own machine and its own networks. */
const PRIVATE_RANGES: ReadonlySet<string> = new Set(["loopback", "private", "uniqueLocal", "carrierGradeNat"]);

/**
 * Addresses at which clouds serve their credentials and settings. They are refused even if private targets are allowed.
 * 169.254.169.254 needs no entry: its link-local range is refused. 168.63.129.16 lies in a public range.
 */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set([
  "168.63.129.16",
  "100.100.100.200",
  "192.0.0.192",
  "fd20:ce::254",
  "fd00:42::42",
  "fd00:c1::a9fe:a9fe",
]);

/** The private network in which one cloud has its metadata, its credentials of containers, its time and its names. */
const METADATA_NETWORK = ipaddr.IPv6.parseCIDR("fd00:ec2::/32");

/** The part of IPv6 that is routed publicly. ipaddr.js calls some unassigned addresses outside it unicast, for example `::2`. */
const PUBLIC_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");

/**
 * Classifies an IP address in any text form that `node:net` accepts. Any other text is `never`.
 *
 * @example
 * ```ts
 * classifyAddress("10.0.0.1"); // "private"
 * ```
 */
export function classifyAddress(address: string): AddressClass {
  if (isIP(address) === 0) {
    return "never";
  }
  // `process` turns IPv4 inside IPv6 (::ffff:127.0.0.1) into the IPv4 it reaches.
  const parsed = ipaddr.process(address);
  if (METADATA_ADDRESSES.has(parsed.toString()) || (parsed instanceof ipaddr.IPv6 && parsed.match(METADATA_NETWORK))) {
    return "never";
  }
  const range = parsed.range();
  if (PRIVATE_RANGES.has(range)) {
    return "private";
  }
  if (range !== "unicast") {
    return "never";
  }
  return parsed instanceof ipaddr.IPv6 && !parsed.match(PUBLIC_IPV6) ? "never" : "public";
}

/** True when `address` may be reached. */
export function mayReach(address: string, allowPrivate: boolean): boolean {
  const kind = classifyAddress(address);
  return kind === "public" || (allowPrivate && kind === "private");
}

import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Whether an address may be reached: by everyone, only by a host that allows private targets, or by nobody. */
export type AddressClass = "public" | "private" | "never";

/** What a host that allows private targets means by it: its own machine and its own networks. */
const PRIVATE_RANGES: ReadonlySet<string> = new Set(["loopback", "private", "uniqueLocal", "carrierGradeNat"]);

/**
 * Where clouds answer with their own credentials and settings. Refused even where private targets are allowed; link-local
 * 169.254.169.254 is refused by its range. 168.63.129.16 lies in a public range.
 */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(["168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"]);

/** All of IPv6 that is routed publicly. Outside it ipaddr.js calls some of what is not assigned, `::2` for one, unicast. */
const PUBLIC_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");

/** Classifies an IP address, in any text form that `node:net` takes for one. What is no address is `never`. */
export function classifyAddress(address: string): AddressClass {
  if (isIP(address) === 0) {
    return "never";
  }
  // `process` turns IPv4 inside IPv6 (::ffff:127.0.0.1) into the IPv4 it reaches.
  const parsed = ipaddr.process(address);
  if (METADATA_ADDRESSES.has(parsed.toString())) {
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

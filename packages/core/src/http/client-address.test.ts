import { describe, expect, test } from "vitest";
import { addressKey, clientAddress, isPrivateAddress } from "./client-address.ts";
import type { HttpRequest } from "./messages.ts";

const request = (remoteAddress: string | undefined, headers = {}): HttpRequest => ({
  method: "GET",
  url: "/",
  headers,
  body: async () => new Uint8Array(),
  ...(remoteAddress === undefined ? {} : { remoteAddress }),
});

describe("isPrivateAddress", () => {
  test.each([
    "127.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.1.1",
    "fd00::1",
    "fe80::1",
  ])("%s is private", (address) => expect(isPrivateAddress(address)).toBe(true));

  test.each(["8.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.0.1", "100.10.0.1", "2001:db8::1", "::ffff:8.8.8.8", "1.127.0.1", "unknown"])(
    "%s is public",
    (address) => expect(isPrivateAddress(address)).toBe(false),
  );
});

describe("clientAddress", () => {
  test("is the peer's own address, and null if many callers may stand behind it", () => {
    expect(clientAddress({}, request("8.8.8.8"))).toBe("8.8.8.8");
    expect(clientAddress({}, request("10.0.0.1"))).toBeNull();
    expect(clientAddress({}, request(undefined))).toBeNull();
  });

  test("is the address that the host names, even a private one", () => {
    const named = { clientAddress: ({ headers }: HttpRequest) => headers["x-real-ip"] };
    expect(clientAddress(named, request("10.0.0.1", { "x-real-ip": "10.9.9.9" }))).toBe("10.9.9.9");
    expect(clientAddress(named, request("8.8.8.8"))).toBe("8.8.8.8");
  });

  test.each([
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:0db8::1", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::ffff:8.8.8.8", "8.8.8.8"],
    ["::1", "0:0:0:0::/64"],
  ])("%s counts as %s", (address, key) => expect(addressKey(address)).toBe(key));
});

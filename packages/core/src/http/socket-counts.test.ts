import { describe, expect, test } from "vitest";
import { isPrivateAddress, SocketCounts } from "./socket-counts.ts";

describe("SocketCounts", () => {
  test("an address has as many as it may, and more once one is gone", () => {
    const counts = new SocketCounts(2);
    const takeOff = counts.add("a");
    expect(counts.isFull("a")).toBe(false);
    counts.add("a");
    expect([counts.isFull("a"), counts.isFull("b")]).toEqual([true, false]);
    takeOff();
    expect(counts.isFull("a")).toBe(false);
  });
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

import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { invalidWebhookHeaders, webhook } from "../src/index.ts";
import { httpReceiver, type Receiver } from "./receiver.ts";
import { taskOf } from "./task.ts";

const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const signal = new AbortController().signal;

describe("guards", () => {
  let canary: Receiver;

  beforeEach(async () => {
    canary = await httpReceiver();
  });

  afterEach(() => canary.close());

  /** A channel that connects to the canary in place of every target. */
  function guarded(addresses: readonly string[] = ["127.0.0.1"]) {
    return webhook({
      exchanges: "none",
      secret,
      egress: {
        resolve: async () => addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
        connect: () => connect(Number(new URL(canary.url).port), "127.0.0.1"),
      },
    });
  }

  it.each([
    "https://127.1/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://2130706433/",
    "https://①②⑦.⓪.⓪.①/",
    "https://[::1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fec0::1]/",
    "https://[fd00:ec2::254]/",
    "https://0.0.0.0/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.100.100.200/",
    "https://[::127.0.0.1]/",
    "https://[::2]/",
    "https://168.63.129.16/",
    "https://localhost/",
    "http://hooks.example.com/",
    "file:///etc/passwd",
    "https://hooks.example.com:22/",
    "https://hooks.example.com:25/",
    "https://hooks.example.com:6379/",
    "https://user@hooks.example.com/",
    "user_123",
  ])("rows 34, 35, 39: refuses the recipient %s, and calls it neither", async (url) => {
    const channel = guarded();
    expect(channel.invalidRecipient(url)).toEqual(expect.any(String));
    expect(await channel.deliver(taskOf({ address: url }), signal)).toMatchObject({ status: "failed", transient: false });
    expect(canary.connections()).toBe(0);
  });

  it.each([[["127.0.0.1"]], [["93.184.215.14", "192.168.0.1"]], [["93.184.215.14", "::1"]]])(
    "row 37: fails for good, without a connection, when the name resolves to %s",
    async (addresses) => {
      const channel = guarded(addresses);
      expect(channel.invalidRecipient("https://hooks.example.com/in")).toBeNull();
      expect(await channel.deliver(taskOf(), signal)).toEqual({
        status: "failed",
        provider: "webhook",
        transient: false,
        error: "blocked_address: the host is at an address that may not be called",
      });
      expect(canary.connections()).toBe(0);
    },
  );

  it("accepts a private receiver only if the host allows it", () => {
    expect(guarded().invalidRecipient(canary.url)).toBe("must begin with https://");
    expect(webhook({ secret, allowPrivate: true }).invalidRecipient(canary.url)).toBeNull();
  });

  it("sends a tenant's own headers", async () => {
    const headers = async (tenant: string) => ({ Authorization: `Bearer of-${tenant}`, "X-Env": "test" });
    await webhook({ secret, headers, allowPrivate: true }).deliver(taskOf({ address: canary.url }), signal);
    expect(canary.received[0]?.headers).toMatchObject({ authorization: "Bearer of-acme", "x-env": "test" });
  });

  it.each([
    ["Host", "evil.example"],
    ["content-length", "3"],
    ["Transfer-Encoding", "chunked"],
    ["webhook-id", "forged"],
    ["Webhook-Signature", "v1,forged"],
    ["Content-Type", "text/plain"],
    ["X-A", "b\r\nInjected: 1"],
    ["X-A", "b\nInjected: 1"],
    ["X-A", "nul\u0000"],
    ["X A", "b"],
    ["X:A", "b"],
    ["", "b"],
    ["X-A", "ü"],
    ["X-A", "b".repeat(4_097)],
  ])("row 40: refuses the tenant header %s", async (name, value) => {
    expect(invalidWebhookHeaders({ [name]: value })).toHaveLength(1);
    const channel = webhook({ secret, allowPrivate: true, headers: () => ({ [name]: value }) });
    expect(await channel.deliver(taskOf({ address: canary.url }), signal)).toMatchObject({ status: "failed", transient: false });
    expect(canary.connections()).toBe(0);
  });

  it("row 40: refuses more than twenty tenant headers", () => {
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`x-${index}`, "v"]));
    expect(invalidWebhookHeaders(many)).toEqual(["there may be at most 20 headers, there are 21"]);
  });

  it("refuses an event that is not a text", () => {
    const channel = guarded();
    for (const data of [{}, { event: null }, { event: "order.paid" }]) {
      expect(channel.invalidData?.(data)).toEqual([]);
    }
    for (const data of [{ event: 1 }, { event: "" }, { event: ["a"] }, { event: "x".repeat(256) }]) {
      expect(channel.invalidData?.(data)).toEqual(["event must be a text of 1 to 255 characters"]);
    }
  });
});

import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it } from "vitest";
import { verifyWebhook, webhook } from "../src/index.ts";
import { httpReceiver, type Receiver } from "./receiver.ts";
import { taskOf } from "./task.ts";

const OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const OTHER = `whsec_${Buffer.alloc(24, 9).toString("base64")}`;
const signal = new AbortController().signal;

describe("signing", () => {
  const receivers: Receiver[] = [];

  afterEach(async () => {
    await Promise.all(receivers.splice(0).map((receiver) => receiver.close()));
  });

  async function receivedFrom(options: Parameters<typeof webhook>[0], tenant = "acme", more: Parameters<typeof taskOf>[0] = {}) {
    const receiver = await httpReceiver();
    receivers.push(receiver);
    await webhook({ allowPrivate: true, ...options }).deliver(taskOf({ address: receiver.url, tenant, ...more }), signal);
    const got = receiver.received[0];
    if (!got) {
      throw new Error("the receiver got nothing");
    }
    return { body: got.body, headers: got.headers as Record<string, string> };
  }

  it("satisfies the standardwebhooks package", async () => {
    const { body, headers } = await receivedFrom({ secret: NEW });
    expect(new Webhook(NEW).verify(body, headers)).toEqual({
      type: "message_created",
      timestamp: "2026-01-01T12:00:00.000Z",
      data: {
        id: "0193c5a0-0000-7000-8000-000000000002",
        room_id: "550e8400-e29b-41d4-a716-446655440001",
        subject: "",
        content: "New message in room — „ünïcode“ 🎐",
        meta: { event: "message_created", sender: "john.doe@example.com" },
      },
    });
    expect(headers["webhook-id"]).toBe("0193c5a0-0000-7000-8000-000000000001");
    expect(headers["content-type"]).toBe("application/json");
    expect(() => new Webhook(OTHER).verify(body, headers)).toThrow();
    expect(() => new Webhook(NEW).verify(`${body} `, headers)).toThrow();
  });

  it("signs the body of the type, where it has one", async () => {
    const { body, headers } = await receivedFrom({ secret: NEW }, "acme", { contents: { body: { own: ["body", 1] } } });
    expect(new Webhook(NEW).verify(body, headers)).toEqual({ own: ["body", 1] });
  });

  it("signs with every secret, the newest first", async () => {
    const { body, headers } = await receivedFrom({ secret: [NEW, OLD] });
    expect(headers["webhook-signature"]?.split(" ")).toHaveLength(2);
    expect(headers["webhook-signature"]?.split(" ")[0]).toBe(
      new Webhook(NEW).sign(headers["webhook-id"] ?? "", new Date(Number(headers["webhook-timestamp"]) * 1_000), body),
    );
    for (const secret of [NEW, OLD]) {
      expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
    }
  });

  it("signs each tenant's webhooks with its own secret", async () => {
    const secret = async (tenant: string) => (tenant === "acme" ? NEW : [OTHER]);
    const acme = await receivedFrom({ secret });
    const other = await receivedFrom({ secret }, "other");
    expect(() => new Webhook(NEW).verify(acme.body, acme.headers)).not.toThrow();
    expect(() => new Webhook(OTHER).verify(other.body, other.headers)).not.toThrow();
    expect(() => new Webhook(NEW).verify(other.body, other.headers)).toThrow();
  });

  it("row 43: passes verifyWebhook with a current and an old secret, as text, bytes and fetch headers", async () => {
    const { body, headers } = await receivedFrom({ secret: [NEW, OLD] });
    for (const secret of [NEW, OLD, [OTHER, OLD]]) {
      expect(verifyWebhook({ secret, headers, body })).toBe(true);
      expect(verifyWebhook({ secret, headers: new Headers(headers), body: Buffer.from(body) })).toBe(true);
    }
    expect(verifyWebhook({ secret: OTHER, headers, body })).toBe(false);
    expect(verifyWebhook({ secret: NEW, headers, body: `${body}x` })).toBe(false);
  });

  it("row 43: does not pass verifyWebhook when it is stale, from the future, shortened or stripped, and nothing throws", async () => {
    const { body, headers } = await receivedFrom({ secret: NEW });
    const with_ = (changes: Record<string, string | undefined>) =>
      verifyWebhook({ secret: NEW, body, headers: { ...headers, ...changes } });
    const sentMs = Number(headers["webhook-timestamp"]) * 1_000;
    const at = (nowMs: number) => verifyWebhook({ secret: NEW, headers, body, now: () => nowMs });
    expect([at(sentMs + 300_000), at(sentMs + 300_001), at(sentMs - 300_000), at(sentMs - 300_001)]).toEqual([true, false, true, false]);
    expect(with_({})).toBe(true);
    expect(with_({ "webhook-signature": "v1,c2hvcnQ=" })).toBe(false);
    expect(with_({ "webhook-signature": headers["webhook-signature"]?.slice(0, -3) })).toBe(false);
    expect(with_({ "webhook-signature": "" })).toBe(false);
    expect(with_({ "webhook-signature": headers["webhook-signature"]?.replace("v1,", "v2,") })).toBe(false);
    expect(with_({ "webhook-signature": `v1,nonsense ${headers["webhook-signature"]}` })).toBe(true);
    expect(with_({ "webhook-signature": undefined })).toBe(false);
    expect(with_({ "webhook-timestamp": "NaN" })).toBe(false);
    expect(with_({ "webhook-timestamp": undefined })).toBe(false);
    expect(with_({ "webhook-id": "msg_other" })).toBe(false);
  });

  it("verifies a webhook that the standardwebhooks package signed", () => {
    const sentAt = new Date();
    const timestamp = String(Math.floor(sentAt.getTime() / 1_000));
    const headers = {
      "webhook-id": "msg_1",
      "webhook-timestamp": timestamp,
      "webhook-signature": new Webhook(NEW).sign("msg_1", sentAt, "{}"),
    };
    expect(verifyWebhook({ secret: NEW, headers, body: "{}" })).toBe(true);
  });

  it.each([
    ["no prefix", "c2VjcmV0c2VjcmV0c2VjcmV0"],
    ["too short", "whsec_c2hvcnQ="],
    ["not base64", "whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!"],
    ["none", []],
  ])("refuses a secret at once: %s", (_what, secret) => {
    expect(() => webhook({ secret })).toThrow(expect.objectContaining({ code: "CONFIGURATION" }));
    if (typeof secret === "string") {
      expect(() => webhook({ secret })).not.toThrow(secret);
    }
  });
});

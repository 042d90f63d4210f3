import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { webhook } from "../src/index.ts";
import { httpReceiver, type Receiver, tcpReceiver } from "./receiver.ts";
import { taskOf } from "./task.ts";

const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const NOW = Date.parse("2026-01-01T12:00:00Z");
const channel = webhook({ secret, allowPrivate: true, timeoutMs: 1_000, now: () => NOW, exchanges: "none" });
const signal = new AbortController().signal;

describe("outcomes", () => {
  const receivers: Receiver[] = [];

  afterEach(async () => {
    await Promise.all(receivers.splice(0).map((receiver) => receiver.close()));
  });

  async function using(receiver: Promise<Receiver>): Promise<Receiver> {
    const started = await receiver;
    receivers.push(started);
    return started;
  }

  async function deliverTo(answer: (response: ServerResponse) => void) {
    const { url } = await using(httpReceiver(answer));
    return channel.deliver(taskOf({ address: url }), signal);
  }

  const status = (code: number, headers: Record<string, string> = {}, body = "") =>
    deliverTo((response) => response.writeHead(code, headers).end(body));

  it("tells the engine its name, schedule and time-out", () => {
    expect(channel.name).toBe("webhook");
    const [s, m, h] = [1_000, 60_000, 3_600_000];
    expect(channel.retryDelaysMs).toEqual([5 * s, 5 * m, 30 * m, 2 * h, 5 * h, 10 * h, 10 * h]);
    expect(webhook({ secret }).timeoutMs).toBe(16_000);
    expect(webhook({ secret, name: "hooks", retryDelaysMs: [1] })).toMatchObject({ name: "hooks", retryDelaysMs: [1] });
  });

  it.each([200, 201, 202, 204, 299])("is delivered at %i", async (code) => {
    expect(await status(code)).toEqual({
      status: "delivered",
      provider: "webhook",
      response: String(code),
      messageId: "0193c5a0-0000-7000-8000-000000000001",
    });
  });

  it("keeps the answer's text on one line, without control characters, at most 1,000 characters of it", async () => {
    expect(await status(200, {}, "line\r\none\u0000two\ttab")).toMatchObject({ response: "200 line one two tab" });
    const long = await status(200, {}, "😀".repeat(5_000));
    expect(long.response).toHaveLength(1_000);
    expect(long.response?.isWellFormed()).toBe(true);
  });

  it("keeps what was sent and what came back, without credentials, of the attempts that it is told to", async () => {
    const { url, received } = await using(
      httpReceiver((response) => response.writeHead(received.length > 1 ? 500 : 200, { "x-token": "t" }).end("said")),
    );
    const options = { secret, allowPrivate: true, headers: () => ({ Authorization: "Bearer secret" }) };
    const [all, failures] = [webhook(options), webhook({ ...options, exchanges: "failures" })];
    const task = taskOf({ address: `${url}?key=secret` });
    const kept = (await all.deliver(task, signal)).exchange;
    expect(kept).toMatchObject({
      request: {
        method: "POST",
        url: `${url}?key=***`,
        headers: { authorization: "***", "webhook-id": task.id, "webhook-signature": "***" },
        body: received[0]?.body,
      },
      response: { status: 200, headers: { "x-token": "***" }, body: "said", isCut: false },
    });
    expect((await failures.deliver(task, signal)).exchange?.response).toMatchObject({ status: 500, body: "said" });
    const fine = await using(httpReceiver());
    expect((await failures.deliver(taskOf({ address: fine.url }), signal)).exchange).toBeUndefined();
    expect(() => webhook({ secret, exchanges: "some" as "all" })).toThrow("exchanges");
  });

  it("row 42: fails for good at 410", async () => {
    expect(await status(410, {}, "gone")).toEqual({
      isEndpointGone: true,
      status: "failed",
      provider: "webhook",
      transient: false,
      error: "the receiver answered 410: the endpoint is gone",
      response: "410 gone",
    });
  });

  it.each([301, 302, 303, 304, 307, 308])("row 38: fails for good at %i and follows no redirect", async (code) => {
    const inside = await using(httpReceiver());
    const outcome = await status(code, { location: inside.url });
    expect(outcome).toMatchObject({ status: "failed", transient: false, error: expect.stringContaining("redirect_refused") });
    expect(inside.connections()).toBe(0);
  });

  it.each([400, 401, 404, 409, 422, 429, 500, 503])("tries again after %i", async (code) => {
    const outcome = await status(code);
    expect(outcome).toMatchObject({ status: "failed", transient: true, error: `the receiver answered ${code}` });
    expect(outcome).not.toHaveProperty("retryAfterMs");
  });

  it.each([
    ["120", 120_000],
    ["0", 0],
    ["1000000000", 1_000_000_000_000],
    ["Thu, 01 Jan 2026 12:01:30 GMT", 90_000],
    ["Thu, 01 Jan 2026 11:00:00 GMT", 0],
    ["10000000000", 1_000_000_000_000],
  ])("row 42: passes on Retry-After: %s", async (value, retryAfterMs) => {
    expect(await status(429, { "retry-after": value })).toMatchObject({ transient: true, retryAfterMs });
    expect(await status(503, { "retry-after": value })).toMatchObject({ transient: true, retryAfterMs });
  });

  it.each(["soon", "-5", "1e9", "12.5", ""])("row 42: ignores Retry-After: %s", async (value) => {
    expect(await status(429, { "retry-after": value })).not.toHaveProperty("retryAfterMs");
  });

  it("sends the same id and body at every attempt", async () => {
    const answers = [503, 503, 200];
    const { url, received } = await using(httpReceiver((response) => response.writeHead(answers.shift() ?? 500).end()));
    const outcomes: string[] = [];
    for (const attempt of [1, 2, 3]) {
      outcomes.push((await channel.deliver(taskOf({ address: url, attempt }), signal)).status);
    }
    expect(outcomes).toEqual(["failed", "failed", "delivered"]);
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  });

  it("sends the type notification if the notification has no event", async () => {
    const { url, received } = await using(httpReceiver());
    await channel.deliver(taskOf({ address: url, data: {}, roomId: null }), signal);
    expect(JSON.parse(received[0]?.body ?? "")).toMatchObject({ type: "notification", data: { room_id: null, meta: {} } });
  });

  it("row 41: reads no more of an endless answer, or of a gzip bomb, than it keeps", async () => {
    const endless = await deliverTo((response) => {
      const write = () => {
        while (!response.destroyed && response.write("x".repeat(65_536))) {}
      };
      response.on("drain", write);
      write();
    });
    expect(endless.status).toBe("delivered");
    expect(endless.response).toHaveLength(1_000);
    const bomb = gzipSync(Buffer.alloc(20_000_000, "y"));
    const bombed = await deliverTo((response) => response.writeHead(500, { "content-encoding": "gzip" }).end(bomb));
    expect(bombed).toMatchObject({ status: "failed", transient: true, error: "the receiver answered 500" });
  });

  it("row 41: gives up on a silent receiver at its deadline, and goes by the status if only the body drips", async () => {
    const silent = await deliverTo(() => undefined);
    expect(silent).toEqual({ status: "failed", provider: "webhook", transient: true, error: "timeout: the host did not answer in time" });
    const dripping = await deliverTo((response) => {
      response.write(".");
      const drip = setInterval(() => response.write("."), 50);
      response.on("close", () => clearInterval(drip));
    });
    expect(dripping).toMatchObject({ status: "delivered", response: expect.stringMatching(/^200 \.+$/) });
  });

  it("ends the connection when the engine aborts", async () => {
    const abort = new AbortController();
    let closed: Promise<void> | undefined;
    const { url } = await using(
      httpReceiver((response) => {
        closed = new Promise((resolve) => response.on("close", resolve));
        abort.abort();
      }),
    );
    expect(await channel.deliver(taskOf({ address: url }), abort.signal)).toMatchObject({ status: "failed", transient: true });
    await closed;
  });

  it("tries again after a reset, and after a closed port", async () => {
    const reset = await using(tcpReceiver((socket) => socket.once("data", () => socket.resetAndDestroy())));
    expect(await channel.deliver(taskOf({ address: reset.url }), signal)).toMatchObject({
      transient: true,
      error: "connection_lost: the connection broke before the host had answered",
    });
    const closed = await httpReceiver();
    await closed.close();
    expect(await channel.deliver(taskOf({ address: closed.url }), signal)).toMatchObject({
      transient: true,
      error: "unreachable: the host could not be reached",
    });
  });
});

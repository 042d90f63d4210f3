import type { Channel, DeliveryOutcome, DeliveryTask } from "@belfry/core";
import { afterEach, describe, expect, test, vi } from "vitest";

/** A channel, and the real peer that it delivers to. */
export interface ChannelSubject {
  readonly channel: Channel;
  /** A recipient whose deliveries the peer takes. */
  readonly recipient: string;
  /** How many deliveries have reached the peer. */
  received(): number;
  /** How many connections to the peer are open. */
  connections(): number;
  close(): Promise<void>;
}

/** The parts of an implementation that the channel suite needs. */
export interface ChannelHarness {
  /** Makes a channel; its peer takes everything. */
  taking(): Promise<ChannelSubject>;
  /** Makes a channel; its peer takes the connection and never answers. */
  silent(): Promise<ChannelSubject>;
  /** Makes a channel; its peer cannot be reached. */
  unreachable(): Promise<ChannelSubject>;
  /** Texts that are not recipients of this channel. */
  readonly invalidRecipients: readonly string[];
  /** Secrets in the channel's options; no outcome may contain them. */
  readonly secrets: readonly string[];
}

const HOSTILE = ["a\r\nBcc: evil@example.com", "a\n.\nMAIL FROM:<evil@example.com>", "\u202eabc 🙂 <img onerror=x>", "x".repeat(10_000)];
let deliveries = 0;

/** A task with an id of its own. */
export function taskOf(recipient: string, more: Partial<DeliveryTask> = {}): DeliveryTask {
  deliveries += 1;
  const id = `01920000-0000-7000-8000-${deliveries.toString(16).padStart(12, "0")}`;
  return {
    id,
    notificationId: id,
    tenant: "default",
    recipient,
    address: recipient,
    roomId: null,
    type: "note",
    title: "Hello",
    message: "Your table is ready.",
    data: {},
    url: null,
    actions: null,
    contents: null,
    digest: null,
    unsubscribeUrl: null,
    group: null,
    unread: null,
    locale: "en",
    isFallback: false,
    attempt: 1,
    priority: "normal",
    createdAt: new Date("2026-01-01T00:00:00Z"),
    ...more,
  };
}

/**
 * Tests whether a channel keeps the promises of `Channel`, with its real peer.
 *
 * @example
 * ```ts
 * channelSuite("sms", { taking, silent, unreachable, invalidRecipients: ["", "no number"], secrets: ["the API key"] });
 * ```
 */
export function channelSuite(name: string, harness: ChannelHarness): void {
  describe(`channel: ${name}`, () => {
    const open: ChannelSubject[] = [];
    const use = async (subject: Promise<ChannelSubject>) => {
      const started = await subject;
      open.push(started);
      return started;
    };
    afterEach(() => Promise.all(open.splice(0).map((subject) => subject.close())));
    const live = () => new AbortController().signal;

    test("has a name, a time-out and a retry schedule", async () => {
      const { channel } = await use(harness.taking());
      expect(channel.name).toMatch(/^[a-z][\w-]*$/);
      expect(channel.name).not.toBe("inbox");
      expect(channel.timeoutMs).toBeGreaterThan(0);
      expect(channel.retryDelaysMs.every((delayMs) => Number.isFinite(delayMs) && delayMs > 0)).toBe(true);
    });

    test("accepts its recipients, and says what is wrong with others", async () => {
      const { channel, recipient } = await use(harness.taking());
      expect(channel.takes).toMatch(/^\S.*[^\s.]$/);
      expect(channel.invalidRecipient(recipient)).toBeNull();
      for (const invalid of ["", ...harness.invalidRecipients]) {
        expect([invalid, channel.invalidRecipient(invalid)]).toEqual([invalid, expect.stringMatching(/\S/)]);
      }
    });

    test("a delivery reaches the peer once, and again under the same id", async () => {
      const { channel, recipient, received } = await use(harness.taking());
      const task = taskOf(recipient);
      const first = await channel.deliver(task, live());
      expect(first).toMatchObject({ status: expect.stringMatching(/^(sent|delivered)$/), provider: expect.stringMatching(/\S/) });
      expect(received()).toBe(1);
      const again = await channel.deliver({ ...task, attempt: 2 }, live());
      expect([received(), messageIdOf(again)]).toEqual([2, messageIdOf(first)]);
    });

    test("simultaneous deliveries all reach the peer", async () => {
      const { channel, recipient, received } = await use(harness.taking());
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => channel.deliver(taskOf(recipient), live())));
      expect(new Set(outcomes.map(({ status }) => status)).size).toBe(1);
      expect([outcomes[0]?.status === "failed", received()]).toEqual([false, 20]);
    });

    test("a hostile text makes one delivery or none", async () => {
      const { channel, recipient, received } = await use(harness.taking());
      for (const text of HOSTILE) {
        const before = received();
        const outcome = await attempt(channel, taskOf(recipient, { message: text, title: text.slice(0, 1_000) }), live());
        expect(received() - before).toBe(outcome.status === "failed" ? 0 : 1);
      }
    });

    test("an attempt that is aborted before it begins reaches nobody", async () => {
      const { channel, recipient, received } = await use(harness.taking());
      const outcome = await attempt(channel, taskOf(recipient), AbortSignal.abort(new Error("too late")));
      expect([outcome.status, received()]).toEqual(["failed", 0]);
    });

    test("an aborted attempt ends, and closes its connection", async () => {
      const { channel, recipient, connections } = await use(harness.silent());
      const abort = new AbortController();
      const ended = attempt(channel, taskOf(recipient), abort.signal);
      await vi.waitFor(() => expect(connections()).toBe(1), { timeout: 20_000 });
      abort.abort(new Error("out of time"));
      expect(await ended).toMatchObject({ status: "failed", transient: true });
      await vi.waitFor(() => expect(connections()).toBe(0), { timeout: 20_000 });
    });

    test("an unreachable peer is a transient failure, and no outcome contains a secret", async () => {
      const { channel, recipient } = await use(harness.unreachable());
      const outcome = await attempt(channel, taskOf(recipient), live());
      expect(outcome).toMatchObject({ status: "failed", transient: true, error: expect.stringMatching(/\S/) });
      const told = JSON.stringify([outcome, await attempt((await use(harness.taking())).channel, taskOf(recipient), live())]);
      expect(harness.secrets.filter((secret) => told.includes(secret))).toEqual([]);
    });
  });
}

/** Makes an attempt as the engine does: a thrown error is a transient failure. */
async function attempt(channel: Channel, task: DeliveryTask, signal: AbortSignal): Promise<DeliveryOutcome> {
  try {
    return await channel.deliver(task, signal);
  } catch (error) {
    return { status: "failed", transient: true, provider: channel.name, error: String(error) };
  }
}

function messageIdOf(outcome: DeliveryOutcome): string | undefined {
  return outcome.status === "failed" ? undefined : outcome.messageId;
}

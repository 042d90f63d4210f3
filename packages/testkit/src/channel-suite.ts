import type { Channel, DeliveryOutcome, DeliveryTask } from "@belfry/core";
import { afterEach, describe, expect, test, vi } from "vitest";

/** A channel, and the real peer that it delivers to. */
export interface ChannelSubject {
  readonly channel: Channel;
  /** A recipient that the peer takes deliveries for. */
  readonly recipient: string;
  /** How many deliveries have reached the peer. */
  received(): number;
  /** How many connections to the peer are open. */
  connections(): number;
  close(): Promise<void>;
}

/** What the channel suite needs of an implementation. */
export interface ChannelHarness {
  /** A channel whose peer takes everything. */
  taking(): Promise<ChannelSubject>;
  /** One whose peer takes the connection and never answers. */
  silent(): Promise<ChannelSubject>;
  /** One whose peer is not there. */
  unreachable(): Promise<ChannelSubject>;
  /** Texts that are no recipients of this channel. */
  readonly invalidRecipients: readonly string[];
  /** What the channel was configured with that belongs in no outcome. */
  readonly secrets: readonly string[];
}

const HOSTILE = ["a\r\nBcc: evil@example.com", "a\n.\nMAIL FROM:<evil@example.com>", "\u202eabc 🙂 <img onerror=x>", "x".repeat(10_000)];
let deliveries = 0;

/** A delivery to be made; each has an id of its own. */
function taskOf(recipient: string, more: Partial<DeliveryTask> = {}): DeliveryTask {
  deliveries += 1;
  const id = `01920000-0000-7000-8000-${deliveries.toString(16).padStart(12, "0")}`;
  return {
    id,
    notificationId: id,
    tenant: "default",
    recipient,
    address: recipient,
    roomId: null,
    subject: "Hello",
    content: "Your table is ready.",
    meta: {},
    isFallback: false,
    attempt: 1,
    createdAt: new Date("2026-01-01T00:00:00Z"),
    ...more,
  };
}

/**
 * Holds a channel against what `Channel` promises, with its real peer.
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

    test("says how it is called, how long it may take and when it tries again", async () => {
      const { channel } = await use(harness.taking());
      expect(channel.name).toMatch(/^[a-z][\w-]*$/);
      expect(channel.name).not.toBe("inbox");
      expect(channel.timeoutMs).toBeGreaterThan(0);
      expect(channel.retryDelaysMs.every((delayMs) => Number.isFinite(delayMs) && delayMs > 0)).toBe(true);
    });

    test("takes its recipients, and says of others what is wrong", async () => {
      const { channel, recipient } = await use(harness.taking());
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

    test("deliveries at once each reach the peer", async () => {
      const { channel, recipient, received } = await use(harness.taking());
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => channel.deliver(taskOf(recipient), live())));
      expect(new Set(outcomes.map(({ status }) => status)).size).toBe(1);
      expect([outcomes[0]?.status === "failed", received()]).toEqual([false, 20]);
    });

    test("hostile texts are one delivery, or none", async () => {
      const { channel, recipient, received } = await use(harness.taking());
      for (const text of HOSTILE) {
        const before = received();
        const outcome = await attempt(channel, taskOf(recipient, { content: text, subject: text.slice(0, 1_000) }), live());
        expect(received() - before).toBe(outcome.status === "failed" ? 0 : 1);
      }
    });

    test("an attempt that was aborted before it began reaches nobody", async () => {
      const { channel, recipient, received } = await use(harness.taking());
      const outcome = await attempt(channel, taskOf(recipient), AbortSignal.abort(new Error("too late")));
      expect([outcome.status, received()]).toEqual(["failed", 0]);
    });

    test("an attempt that is aborted ends, and lets go of the peer", async () => {
      const { channel, recipient, connections } = await use(harness.silent());
      const abort = new AbortController();
      const ended = attempt(channel, taskOf(recipient), abort.signal);
      await vi.waitFor(() => expect(connections()).toBe(1), { timeout: 20_000 });
      abort.abort(new Error("out of time"));
      expect(await ended).toMatchObject({ status: "failed", transient: true });
      await vi.waitFor(() => expect(connections()).toBe(0), { timeout: 20_000 });
    });

    test("a peer that is not there is a failure that may pass, and no outcome tells a secret", async () => {
      const { channel, recipient } = await use(harness.unreachable());
      const outcome = await attempt(channel, taskOf(recipient), live());
      expect(outcome).toMatchObject({ status: "failed", transient: true, error: expect.stringMatching(/\S/) });
      const told = JSON.stringify([outcome, await attempt((await use(harness.taking())).channel, taskOf(recipient), live())]);
      expect(harness.secrets.filter((secret) => told.includes(secret))).toEqual([]);
    });
  });
}

/** As the engine attempts: what is thrown is a transient failure. */
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

import { feedOf, type HubSignal, type InboxSignal, type Signal, type Transport, type TransportListener } from "@belfry/core/storage";
import { afterEach, describe, expect, test } from "vitest";

/** The parts of an implementation that the transport suite needs. */
export interface TransportHarness {
  /** Makes a transport of one process. All transports of a test belong to one installation. */
  create(): Promise<Transport>;
  /** Whether the transports of one installation hear each other across processes. */
  readonly crossesProcesses: boolean;
  /** Ends the connections of all transports, which come back by themselves. @default there is nothing to end */
  interrupt?(): Promise<void>;
}

/** Keeps the signals of a transport, and waits for conditions on them. */
class Ear implements TransportListener {
  readonly signals: Signal[] = [];
  gaps = 0;

  onSignals(signals: readonly Signal[]): void {
    this.signals.push(...signals);
  }

  onGap(): void {
    this.gaps += 1;
  }

  seqs(): number[] {
    return this.signals.flatMap((signal) => ("seq" in signal ? [signal.seq] : []));
  }
}

function signal(seq: number, more: Partial<InboxSignal> = {}): InboxSignal {
  return { tenant: "t", userId: "u", change: "created", seq, epoch: "e", id: "01920000-0000-7000-8000-000000000000", ...more };
}

function hubSignal(more: Partial<HubSignal> = {}): HubSignal {
  return { topic: "hub", tenant: "t", source: "mail", change: "event", id: "01920000-0000-7000-8000-00000000000a", ...more };
}

/** The feed of {@link signal} and that of {@link hubSignal}. */
const FEEDS = [signal(1), hubSignal()];

/** Follows the feeds of signals in this process, where the transport wants to know. */
async function follow(transport: Transport, followed: readonly Signal[] = FEEDS): Promise<void> {
  await Promise.all(followed.map((one) => transport.follow?.(feedOf(one) ?? "")));
}

const range = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

/**
 * Tests whether a transport keeps the promises of `Transport`.
 *
 * @example
 * ```ts
 * transportSuite("memory", { crossesProcesses: false, create: async () => memoryTransport() });
 * ```
 */
export function transportSuite(name: string, harness: TransportHarness): void {
  describe(`transport: ${name}`, () => {
    const made: Transport[] = [];
    const create = async () => {
      const transport = await harness.create();
      made.push(transport);
      return transport;
    };
    afterEach(async () => {
      await Promise.all(made.splice(0).map((transport) => transport.stop()));
    });

    test("a process hears its own signals at once, whole and in order", async () => {
      const [transport, ear] = [await create(), new Ear()];
      await transport.start(ear);
      const item = signal(1, { change: "read", count: 3, userId: "Zoë 😀" });
      const counted = signal(2, { change: "seen", rev: 4, lastSeq: 9, of: 1, counts: { total: 7, unread: 2, unseen: 0 } });
      transport.publish([item, counted]);
      transport.publish([signal(3)]);
      expect(ear.signals).toEqual([item, counted, signal(3)]);
    });

    test("a process hears the hub's signals among those of inboxes, with their local parts", async () => {
      const [transport, ear] = [await create(), new Ear()];
      await transport.start(ear);
      const { id, tenant, source } = hubSignal();
      const event = { id, tenant, source, sender: "u", content: "x", metadata: {}, receivedAt: new Date(0) };
      const published = [hubSignal({ event }), signal(1), hubSignal({ change: "settled" })];
      transport.publish(published);
      expect(ear.signals).toEqual(published);
    });

    test("publishing before the start and after the stop throws nothing and sends nothing", async () => {
      const [transport, ear] = [await create(), new Ear()];
      transport.publish([signal(1)]);
      await transport.start(ear);
      await transport.stop();
      transport.publish([signal(2)]);
      expect(ear.signals).toEqual([]);
    });

    test("after two starts every signal comes once; stopping twice is allowed", async () => {
      const [transport, ear] = [await create(), new Ear()];
      await transport.start(ear);
      await transport.start(ear);
      transport.publish([signal(1)]);
      expect(ear.seqs()).toEqual([1]);
      await transport.stop();
      await transport.stop();
    });

    test("a stopped transport can be started again", async () => {
      const [transport, ear] = [await create(), new Ear()];
      await transport.start(new Ear());
      await transport.stop();
      await transport.start(ear);
      transport.publish([signal(1)]);
      expect(ear.seqs()).toEqual([1]);
    });

    describe.skipIf(!harness.crossesProcesses)("between processes (only if it crosses them)", () => {
      const WAIT = { timeout: 20_000 };
      const listening = async (followed?: readonly Signal[]) => {
        const [transport, ear] = [await create(), new Ear()];
        await transport.start(ear);
        await follow(transport, followed);
        return { transport, ear };
      };

      test("every process hears every signal that it follows once and in its sender's order, or is told of a gap", async () => {
        const [one, two] = [await listening(), await listening()];
        for (const seq of range(200)) {
          one.transport.publish([signal(seq)]);
        }
        await expect.poll(() => two.ear.gaps > 0 || two.ear.seqs().at(-1) === 200, WAIT).toBe(true);
        if (two.ear.gaps === 0) {
          expect(two.ear.seqs()).toEqual(range(200));
        }
        expect(one.ear.seqs()).toEqual(range(200));
      });

      test("names of any script arrive unchanged", async () => {
        const sent = signal(1, { tenant: "ünï'\"\\", userId: "😀 名\n", change: "deleted", id: "01920000-0000-7000-8000-000000000001" });
        const [one, two] = [await listening([]), await listening([sent])];
        one.transport.publish([sent]);
        await expect.poll(() => two.ear.signals, WAIT).toMatchObject([{ tenant: sent.tenant, userId: sent.userId, change: "deleted" }]);
      });

      test("numbered changes arrive with their counts, their time and their steps, each if it has some", async () => {
        const [one, two] = [await listening(), await listening()];
        const change = { change: "read", rev: 4, lastSeq: 9, of: 2 } as const;
        const counts = { total: 7, unread: 2, unseen: 0 };
        const { id: _, ...whole } = signal(9, { ...change, change: "read_matching", of: 1, count: 3, atMs: 5, revs: 2, counts });
        const { atMs: __, ...steps } = { ...whole, change: "deleted" } as const;
        const sent = [signal(1, change), signal(2, { ...change, counts }), whole, steps];
        one.transport.publish(sent);
        await expect.poll(() => two.ear.signals, WAIT).toEqual(sent);
      });

      test("the hub's signals arrive unchanged beside those of inboxes, without their local parts", async () => {
        const event = hubSignal({ tenant: "ünï'\"\\", source: "😀 名\n" });
        const settled = hubSignal({ change: "settled", id: "01920000-0000-7000-8000-00000000000b" });
        const [one, two] = [await listening([]), await listening([event, settled, signal(1)])];
        const { id, tenant, source } = event;
        const content = { id, tenant, source, sender: "u", content: "x".repeat(9_000), metadata: {}, receivedAt: new Date(0) };
        one.transport.publish([{ ...event, event: content }, signal(1), settled]);
        await expect.poll(() => two.ear.signals.length, WAIT).toBe(3);
        // Those of different feeds may overtake each other.
        expect(two.ear.signals).toEqual(expect.arrayContaining([event, signal(1), settled]));
      });

      test("signals for everybody arrive where nothing is followed", async () => {
        const [one, two] = [await listening([]), await listening([])];
        const sent: Signal[] = [{ topic: "presence", instance: "i" }, { topic: "inboxes" }, { topic: "broadcast", tenant: "ünï" }];
        one.transport.publish(sent);
        await expect.poll(() => two.ear.signals, WAIT).toEqual(sent);
      });

      test("what is followed before the start, or a second time, arrives until nobody follows it, also after a stop", async () => {
        const [one, two] = [await listening([]), { transport: await create(), ear: new Ear() }];
        await follow(two.transport);
        await two.transport.start(new Ear());
        await two.transport.stop();
        await two.transport.start(two.ear);
        one.transport.publish([signal(1)]);
        await expect.poll(() => two.ear.seqs(), WAIT).toEqual([1]);
        await follow(two.transport, [signal(1)]);
        two.transport.unfollow?.(feedOf(signal(1)) ?? "");
        one.transport.publish([signal(2)]);
        await expect.poll(() => two.ear.seqs(), WAIT).toEqual([1, 2]);
        two.transport.publish([{ topic: "inboxes" }]);
        await expect.poll(() => one.ear.signals, WAIT).toContainEqual({ topic: "inboxes" });
      });

      test("a process that reads after it followed a feed misses nothing that is published then", async () => {
        const [one, two] = [await listening([]), await listening([])];
        for (const seq of range(50)) {
          const sent = signal(seq, { userId: `user ${seq}` });
          await follow(two.transport, [sent]);
          one.transport.publish([sent]);
        }
        // Those of different feeds may overtake each other.
        await expect.poll(() => two.ear.seqs().sort((before, after) => before - after), WAIT).toEqual(range(50));
      });

      test.skipIf(harness.interrupt === undefined)(
        "after its connections ended, everybody is told of a gap, and signals arrive",
        async () => {
          const [one, two] = [await listening(), await listening()];
          expect([one.ear.gaps, two.ear.gaps]).toEqual([0, 0]);
          await harness.interrupt?.();
          await expect.poll(() => Math.min(one.ear.gaps, two.ear.gaps), WAIT).toBeGreaterThan(0);
          // The sender's connection may come back last.
          const seqs = range(1_000).values();
          const next = () => {
            one.transport.publish([signal(seqs.next().value ?? 0)]);
            return two.ear.seqs();
          };
          await expect.poll(next, WAIT).not.toEqual([]);
        },
      );
    });
  });
}

import type { HubSignal, InboxSignal, Signal, Transport, TransportListener } from "@belfry/core/storage";
import { afterEach, describe, expect, test } from "vitest";

/** The parts of an implementation that the transport suite needs. */
export interface TransportHarness {
  /** Makes a transport of one process. All transports of a test belong to one installation. */
  create(): Promise<Transport>;
  /** Whether the transports of one installation hear each other across processes. */
  readonly crossesProcesses: boolean;
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
      test("every process hears every signal once and in its sender's order, or is told of a gap", async () => {
        const [one, two] = [await create(), await create()];
        const [earOne, earTwo] = [new Ear(), new Ear()];
        await Promise.all([one.start(earOne), two.start(earTwo)]);
        for (const seq of range(200)) {
          one.publish([signal(seq)]);
        }
        await expect.poll(() => earTwo.gaps > 0 || earTwo.seqs().at(-1) === 200, { timeout: 20_000 }).toBe(true);
        if (earTwo.gaps === 0) {
          expect(earTwo.seqs()).toEqual(range(200));
        }
        expect(earOne.seqs()).toEqual(range(200));
      });

      test("names of any script arrive unchanged", async () => {
        const [one, two] = [await create(), await create()];
        const ear = new Ear();
        await Promise.all([one.start(new Ear()), two.start(ear)]);
        const sent = signal(1, { tenant: "ünï'\"\\", userId: "😀 名\n", change: "deleted", id: "01920000-0000-7000-8000-000000000001" });
        one.publish([sent]);
        await expect
          .poll(() => ear.signals, { timeout: 20_000 })
          .toMatchObject([{ tenant: sent.tenant, userId: sent.userId, change: "deleted" }]);
      });

      test("numbered changes arrive with their counts, their time and their steps, each if it has some", async () => {
        const [one, two] = [await create(), await create()];
        const ear = new Ear();
        await Promise.all([one.start(new Ear()), two.start(ear)]);
        const change = { change: "read", rev: 4, lastSeq: 9, of: 2 } as const;
        const counts = { total: 7, unread: 2, unseen: 0 };
        const { id: _, ...whole } = signal(9, { ...change, change: "read_matching", of: 1, count: 3, atMs: 5, revs: 2, counts });
        const { atMs: __, ...steps } = { ...whole, change: "deleted" } as const;
        const sent = [signal(1, change), signal(2, { ...change, counts }), whole, steps];
        one.publish(sent);
        await expect.poll(() => ear.signals, { timeout: 20_000 }).toEqual(sent);
      });

      test("the hub's signals arrive unchanged among those of inboxes, without their local parts", async () => {
        const [one, two] = [await create(), await create()];
        const ear = new Ear();
        await Promise.all([one.start(new Ear()), two.start(ear)]);
        const event = hubSignal({ tenant: "ünï'\"\\", source: "😀 名\n" });
        const settled = hubSignal({ change: "settled", id: "01920000-0000-7000-8000-00000000000b" });
        const { id, tenant, source } = event;
        const content = { id, tenant, source, sender: "u", content: "x".repeat(9_000), metadata: {}, receivedAt: new Date(0) };
        one.publish([{ ...event, event: content }, signal(1), settled]);
        await expect.poll(() => ear.signals, { timeout: 20_000 }).toEqual([event, signal(1), settled]);
      });
    });
  });
}

import type { Logger } from "@belfry/core";
import type { InboxSignal, Signal, TransportListener } from "@belfry/core/storage";
import { type RedisServer, startRedis } from "@belfry/redis-launcher";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";

/** The lines of a transport whose Redis is away, and back. */
export const GONE = "Belfry cannot reach Redis. It looks at the database for changes instead, and goes on trying.";
export const BACK = "Belfry reaches Redis again.";

export const WAIT = { timeout: 30_000, interval: 20 };

/** Runs what a test hands in after that test, the last first. */
export function useCleanup(): (cleanup: () => unknown) => void {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) {
      await cleanup();
    }
  });
  return (cleanup) => void cleanups.push(cleanup);
}

/** A Redis of the test file's own, which runs at the beginning of each test. */
export function useRedis(): Omit<RedisServer, "stop"> {
  let server: RedisServer | null = null;
  let isKilled = false;
  const current = () => {
    if (server === null) {
      throw new Error("Redis is there only while the tests of the file run.");
    }
    return server;
  };
  beforeAll(async () => {
    server = await startRedis();
  });
  const startAgain = async () => {
    await current().startAgain();
    isKilled = false;
  };
  beforeEach(() => (isKilled ? startAgain() : undefined));
  afterAll(() => server?.stop());
  return {
    get port() {
      return current().port;
    },
    get url() {
      return current().url;
    },
    kill() {
      isKilled = true;
      return current().kill();
    },
    startAgain,
  };
}

/** A logger that keeps the lines of warnings and errors, with all that was logged. */
export function keepLines(): { readonly logger: Logger; readonly lines: string[]; readonly fields: object[] } {
  const lines: string[] = [];
  const fields: object[] = [];
  const keep = (more: object, line: string) => {
    lines.push(line);
    fields.push(more);
  };
  return { logger: { debug() {}, info() {}, warn: keep, error: keep }, lines, fields };
}

/** A listener that keeps what it hears. */
export class Ear implements TransportListener {
  readonly signals: Signal[] = [];
  gaps = 0;

  onSignals(signals: readonly Signal[]): void {
    this.signals.push(...signals);
  }

  onGap(): void {
    this.gaps += 1;
  }

  /** The numbers of what a user's inbox was told of. */
  of(userId: string): number[] {
    return this.signals.flatMap((signal) => ("userId" in signal && signal.userId === userId ? [signal.seq] : []));
  }

  users(): string[] {
    return this.signals.flatMap((signal) => ("userId" in signal ? [signal.userId] : []));
  }
}

export function signalFor(userId: string, seq = 1): InboxSignal {
  return { tenant: "t", userId, change: "created", seq, epoch: "e" };
}

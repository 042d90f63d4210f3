import type { NotificationServiceOptions } from "@belfry/core";
import type pg from "pg";
import { percentile } from "../harness/statistics.ts";
import { type Scheduled, scheduled } from "../settings/scheduled.ts";

type Storage = NotificationServiceOptions["storage"];

/** How long a step took, and what the processes that work on it did in that time. */
interface StepTime extends Scheduled {
  readonly wallMs: number;
}

const STEPS = /^(sweep|erase)/;
/** The parts of a storage that have steps. */
const PARTS = new Set<string | symbol>(["inbox", "deliveries", "hub", "activity"]);

/** Notes how long each step of sweeping and erasing keeps its locks. */
export class Steps {
  #times: StepTime[] = [];

  /** Times each call of a storage's steps, all of it: on SQLite, a step is one transaction, and no other write goes on in it. */
  watchCalls(storage: Storage): Storage {
    return replaced(storage, (name, part) =>
      PARTS.has(name) ? replaced(part as object, (method, step) => this.#watched(method, step)) : part,
    );
  }

  /**
   * Times each transaction on a pool's connections, from the answer to BEGIN, before which it has no lock, to that of COMMIT. Waiting
   * for a connection is not counted.
   */
  watchTransactions(pool: pg.Pool): void {
    pool.on("connect", (client) => {
      const { processID } = client as unknown as { readonly processID: number };
      const original = client.query.bind(client) as (...args: readonly unknown[]) => unknown;
      let end = () => {};
      const onAnswer: Readonly<Record<string, () => void>> = {
        BEGIN: () => {
          end = this.#begin([processID]);
        },
        COMMIT: () => end(),
      };
      const query = async (...args: readonly unknown[]) => {
        const [asked] = args as readonly [string | { readonly text?: string }];
        const [verb = ""] = (typeof asked === "string" ? asked : (asked.text ?? "")).split(" ");
        const answer = await original(...args);
        onAnswer[verb]?.();
        return answer;
      };
      Object.assign(client, { query });
    });
  }

  /** Says how long the steps took since it was last asked, and forgets them. */
  take(): string {
    const times = this.#times;
    this.#times = [];
    const shares = (of: (time: StepTime) => number) =>
      [0.5, 0.99, 1].map((share) => percentile(times.map(of), share).toFixed(1)).join(" / ");
    const [alone, cpu] = [shares(({ wallMs, cpuMs, queuedMs }) => Math.max(cpuMs, wallMs - queuedMs)), shares(({ cpuMs }) => cpuMs)];
    const all = shares(({ wallMs }) => wallMs);
    return `${times.length} steps, p50 / p99 / longest ${alone} ms; of it CPU ${cpu} ms; with waiting for a processor ${all} ms`;
  }

  #watched(name: string | symbol, method: unknown): unknown {
    if (typeof method !== "function" || !STEPS.test(String(name))) {
      return method;
    }
    return async (...args: readonly unknown[]) => {
      const stop = this.#begin([]);
      const result: unknown = await method(...args);
      stop();
      return result;
    };
  }

  /** Starts to measure a step of this process and `others`; the answer ends it. */
  #begin(others: readonly number[]): () => void {
    const pids = [process.pid, ...others];
    const before = scheduled(pids);
    const beganMs = performance.now();
    return () => {
      const wallMs = performance.now() - beganMs;
      const after = scheduled(pids);
      this.#times.push({ wallMs, cpuMs: after.cpuMs - before.cpuMs, queuedMs: after.queuedMs - before.queuedMs });
    };
  }
}

/** An object with members replaced, whose methods still find what is private to it. */
function replaced<Target extends object>(target: Target, replace: (name: string | symbol, member: unknown) => unknown): Target {
  return new Proxy(target, {
    get: (object, name) => {
      const member: unknown = Reflect.get(object, name, object);
      return replace(name, typeof member === "function" ? member.bind(object) : member);
    },
  });
}

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Failpoint } from "./failpoints.ts";
import type { Mutant } from "./mutants.ts";

/** The settings of a process under test. */
export interface VictimOptions {
  /** `sqlite:<path>` or `postgres://…`. */
  readonly database: string;
  /** The Redis that connects the processes. @default the database does */
  readonly redis?: string;
  /** The SMTP servers for mail, with spaces between them. */
  readonly mail: string;
  /** How long an attempt may take. */
  readonly attemptMs: number;
  readonly leaseMs: number;
  /** How long a stop waits for deliveries under way. */
  readonly drainMs: number;
  readonly retryDelaysMs: readonly number[];
  readonly concurrency: number;
  /** Where the process kills itself. */
  readonly failpoint?: Failpoint;
  /** The mistake that is planted into it. */
  readonly mutant?: Mutant;
  /** Whether users have mail addresses, which are their names at the sink. @default no */
  readonly directory?: boolean;
  /** Names of webhook hosts that resolve to these addresses, each time to the next one. */
  readonly resolves?: Readonly<Record<string, readonly string[]>>;
  /** Whether webhooks may reach this machine, as the sinks do. @default true */
  readonly allowsPrivate?: boolean;
}

/** What a victim can be asked. */
export type VictimQuestion = { readonly moveClockMs: number } | { readonly ask: "state" };

/** How a victim stands. */
export interface VictimState {
  /** Its resident memory, in bytes. */
  readonly rss: number;
  /** How many WebSockets it believes to be open. */
  readonly sockets: number;
}

/** What a victim tells its parent. */
export type VictimMessage = { readonly url: string } | VictimState | { readonly clockMovedMs: number };

/** A process under test: a host that serves `inbox-v1` and `delivery-v1`, and delivers. */
export class Victim {
  readonly child: ChildProcess;
  /** Resolves with the exit code; null after a kill. */
  readonly exited: Promise<number | null>;
  /** Everything it printed. */
  output = "";
  /** Where it listens; empty until it is {@link Victim.ready}. */
  url = "";
  readonly #ready: Promise<void>;

  constructor(options: VictimOptions) {
    // The run's global setup has bundled it.
    this.child = fork(process.env.CHAOS_VICTIM ?? "", {
      // So that garbage can be left out of what it says of its memory.
      execArgv: ["--expose-gc"],
      env: { PATH: process.env.PATH, VICTIM: JSON.stringify(options) },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    this.exited = once(this.child, "exit").then(([code]) => code as number | null);
    this.#ready = this.#hears("url").then((message) => {
      this.url = (message as { readonly url: string }).url;
    });
    // Whoever awaits it hears of it.
    this.#ready.catch(() => undefined);
  }

  /** Resolves once it listens. */
  async ready(): Promise<this> {
    await this.#ready;
    return this;
  }

  /** Whether it still runs. */
  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Kills it, as a failing machine does, and resolves once it has ended. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  /** Tells it to end, and resolves with its exit code. */
  async stop(): Promise<number | null> {
    this.child.kill("SIGTERM");
    return this.exited;
  }

  /** Moves its clock; its timers stay. */
  async moveClock(moveClockMs: number): Promise<void> {
    this.child.send({ moveClockMs } satisfies VictimQuestion);
    await this.#hears("clockMovedMs");
  }

  async state(): Promise<VictimState> {
    this.child.send({ ask: "state" } satisfies VictimQuestion);
    return (await this.#hears("rss")) as VictimState;
  }

  /** The next message that has a member of this name. Rejects if the process ends before. */
  #hears(name: string): Promise<VictimMessage> {
    return new Promise((resolve, reject) => {
      const end = () => reject(new Error(`The process under test ended: ${this.output}`));
      const listen = (message: VictimMessage) => {
        if (name in message) {
          this.child.off("message", listen);
          this.child.off("exit", end);
          resolve(message);
        }
      };
      this.child.on("message", listen);
      this.child.once("exit", end);
    });
  }
}

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { bundledProgram } from "../../../test/bundled-program.ts";

const PROGRAM = bundledProgram(new URL("./processes/processing-host.ts", import.meta.url));

/** The options of a host that runs handlers. */
export interface ProcessingHostOptions {
  readonly url: string;
  readonly ledger: string;
  /** How many attempts it makes at once. */
  readonly concurrency: number;
  /** How many attempts each record gets. */
  readonly attempts: number;
}

/** A separate process that runs the hub's handlers over the events in a database. */
export class ProcessingHost {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;

  constructor({ url, ledger, concurrency, attempts }: ProcessingHostOptions) {
    this.child = fork(PROGRAM, {
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        DATABASE_URL: url,
        LEDGER: ledger,
        CONCURRENCY: String(concurrency),
        ATTEMPTS: String(attempts),
      },
    });
    this.exited = once(this.child, "exit");
  }

  /** Kills it, as a failing machine does, and resolves once it has ended. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  /** Tells it to end and resolves once it has ended. */
  async stop(): Promise<void> {
    if (this.child.connected) {
      this.child.disconnect();
    }
    await this.exited;
  }
}

/** A line of a ledger: an attempt at a record began, or settled the record. */
export interface LedgerLine {
  readonly what: "begin" | "settled";
  readonly recordId: string;
  readonly attempt: number;
}

/** The lines that hosts have written into their ledger so far, in the order of time. */
export function readLedger(path: string): readonly LedgerLine[] {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [what, recordId = "", attempt] = line.split(" ");
    return { what: what === "begin" ? "begin" : "settled", recordId, attempt: Number(attempt) };
  });
}

import { fsync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const sync = promisify(fsync);

/** A line of a ledger. `text` is the content that the driver gave the notification, another one for each. */
export type LedgerLine =
  /** The driver is about to ask for a notification. */
  | { readonly what: "issued"; readonly text: string; readonly channel: string }
  /** A server has answered that it accepted the notification `id`. */
  | { readonly what: "accepted"; readonly text: string; readonly id: string }
  /** A sink got a notification; `isAccepted` says whether it is about to answer that it took it. */
  | { readonly what: "receipt"; readonly text: string; readonly delivery: string; readonly channel: string; readonly isAccepted: boolean }
  /** A socket got an item of a user's inbox. */
  | { readonly what: "frame"; readonly text: string; readonly user: string; readonly seq: number }
  /** Everything has ended. */
  | { readonly what: "quiet" };

/**
 * A file to which the driver and the sinks append what they know, outside of the processes under test. A line is on the
 * disk before its writer goes on: before a request goes out, and before a sink answers.
 */
export class Ledger {
  readonly #file: number;
  readonly #path: string;
  #lines: LedgerLine[] = [];
  #written: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(cleanup: (task: () => unknown) => void) {
    const directory = mkdtempSync(join(tmpdir(), "belfry-ledger-"));
    cleanup(() => rmSync(directory, { recursive: true, force: true }));
    this.#path = join(directory, "ledger");
    this.#file = openSync(this.#path, "a+");
  }

  /** Appends a line and resolves once it is on the disk. Lines that come during a write share the next one. */
  append(line: LedgerLine): Promise<void> {
    this.#lines.push(line);
    this.#next ??= this.#written.then(() => this.#write());
    return this.#next;
  }

  /** Reads the file back. */
  lines(): readonly LedgerLine[] {
    const lines = readFileSync(this.#path, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as LedgerLine);
  }

  #write(): Promise<void> {
    const lines = this.#lines.splice(0);
    this.#written = this.#next ?? Promise.resolve();
    this.#next = null;
    writeSync(this.#file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    return sync(this.#file);
  }
}

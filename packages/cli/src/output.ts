import { once } from "node:events";
import { type Io, isInteractive } from "./io.ts";

const CLEAR_LINE = "\r\u001b[2K";
/** Everything that moves a cursor, colours or beeps, as texts from elsewhere may. */
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** A text that no terminal obeys, on one line. */
export function plain(text: string): string {
  return text.replaceAll(/[\r\n\t]+/g, " ").replaceAll(CONTROL, "�");
}

/** Rows of texts with their columns below each other. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/**
 * Writes what a command says: results on stdout, everything else on stderr. With `--json`, stdout has one JSON document, or lines of JSON
 * where results come one by one, and no remark and no progress is made.
 */
export class Output {
  readonly isJson: boolean;
  readonly #io: Io;
  #hasProgress = false;

  constructor(io: Io, isJson: boolean) {
    this.#io = io;
    this.isJson = isJson;
  }

  /** Whether progress is shown, and questions may be asked. */
  get isInteractive(): boolean {
    return !this.isJson && isInteractive(this.#io);
  }

  /** Writes a result: the document, or its lines for people. One of those that come one by one is written the same way. */
  async result(document: object, lines: readonly string[]): Promise<void> {
    await this.raw(this.isJson ? `${JSON.stringify(document)}\n` : lines.map((line) => `${plain(line)}\n`).join(""));
  }

  /** Writes to stdout as it is, and waits while whoever reads it is slower. */
  async raw(text: string): Promise<void> {
    this.#clear();
    if (text !== "" && !this.#io.stdout.write(text)) {
      await once(this.#io.stdout, "drain");
    }
  }

  /** Says something beside the result, to people alone. */
  remark(text: string): void {
    if (!this.isJson) {
      this.#clear();
      this.#io.stderr.write(`${plain(text)}\n`);
    }
  }

  /** Shows how far a command is, in the place of what it showed before; on a terminal alone. */
  progress(text: string): void {
    if (this.isInteractive) {
      this.#hasProgress = true;
      this.#io.stderr.write(`${CLEAR_LINE}${plain(text)}`);
    }
  }

  /** Says why a command ends as it does. */
  async failure({ code, message }: { readonly code: string; readonly message: string }): Promise<void> {
    if (this.isJson) {
      await this.raw(`${JSON.stringify({ error: { code, message } })}\n`);
      return;
    }
    this.remark(`belfry: ${message}`);
  }

  /** Takes the progress away. */
  #clear(): void {
    if (this.#hasProgress) {
      this.#hasProgress = false;
      this.#io.stderr.write(CLEAR_LINE);
    }
  }
}

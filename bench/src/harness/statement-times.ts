import Database from "better-sqlite3";
import pg from "pg";

interface Spent {
  calls: number;
  micros: number;
}

const LINES = 25;
const LENGTH = 150;
const RUNS = ["run", "get", "all"] as const;

/** Remembers how often statements ran, and for how long: in SQLite inside the call, in PostgreSQL until the answer. */
export class StatementTimes {
  readonly #spent = new Map<string, Spent>();
  readonly #undo: (() => void)[] = [];

  /** Starts to remember. */
  constructor() {
    this.#watchSqlite();
    this.#watchPostgres();
  }

  /** Stops, and answers with a line for each statement, for one operation. */
  stop(operations: number): readonly string[] {
    for (const undo of this.#undo) {
      undo();
    }
    return [...this.#spent.entries()]
      .toSorted(([, left], [, right]) => right.micros - left.micros)
      .slice(0, LINES)
      .map(([text, { calls, micros }]) => {
        const [time, often] = [(micros / operations).toFixed(2).padStart(9), (calls / operations).toFixed(3).padStart(7)];
        return `    ${time} µs in ${often} calls  ${text}`;
      });
  }

  #add(text: string, startedMs: number): void {
    const name = text.replaceAll(/\s+/g, " ").trim().slice(0, LENGTH);
    const spent = this.#spent.get(name) ?? { calls: 0, micros: 0 };
    spent.calls += 1;
    spent.micros += (performance.now() - startedMs) * 1_000;
    this.#spent.set(name, spent);
  }

  #watchSqlite(): void {
    const database = new Database(":memory:");
    const prototype = Object.getPrototypeOf(database.prepare("SELECT 1")) as Record<(typeof RUNS)[number], (...args: unknown[]) => unknown>;
    database.close();
    const add = (text: string, startedMs: number) => this.#add(text, startedMs);
    for (const name of RUNS) {
      const original = prototype[name];
      prototype[name] = function timed(this: Database.Statement, ...args: unknown[]) {
        const startedMs = performance.now();
        try {
          return original.apply(this, args);
        } finally {
          add(this.source, startedMs);
        }
      };
      this.#undo.push(() => {
        prototype[name] = original;
      });
    }
  }

  #watchPostgres(): void {
    const prototype = pg.Client.prototype as unknown as { query(...args: unknown[]): unknown };
    const original = prototype.query;
    const add = (text: string, startedMs: number) => this.#add(text, startedMs);
    prototype.query = function timed(this: pg.Client, ...args: unknown[]) {
      const startedMs = performance.now();
      const [query] = args as [string | { readonly name?: string; readonly text?: string }];
      const text = typeof query === "string" ? query : `${query.name ?? ""}: ${query.text ?? ""}`;
      const callback = args.at(-1);
      if (typeof callback === "function") {
        const wrapped = (...answer: unknown[]) => {
          add(text, startedMs);
          callback(...answer);
        };
        return original.apply(this, [...args.slice(0, -1), wrapped]);
      }
      const answer = original.apply(this, args);
      if (answer instanceof Promise) {
        const noted = () => add(text, startedMs);
        answer.then(noted, noted);
      }
      return answer;
    };
    this.#undo.push(() => {
      prototype.query = original;
    });
  }
}

import { isDeepStrictEqual } from "node:util";
import type { Side, Work } from "./row.ts";

/** How far the bytes of an operation may differ: random users have numbers of different lengths. */
const BYTES_DIFFER_BY = 0.02;

/** Throws unless all sides that have a sample answer alike. */
export async function requireSameAnswers(sides: readonly Side[]): Promise<void> {
  const answers: { readonly name: string; readonly answer: unknown }[] = [];
  for (const { name, sample } of sides) {
    if (sample !== undefined) {
      answers.push({ name, answer: await sample() });
    }
  }
  const [first, ...others] = answers;
  for (const other of others) {
    if (!isDeepStrictEqual(first?.answer, other.answer)) {
      throw new Error(`${first?.name} and ${other.name} answer differently:\n${shown(first?.answer)}\n${shown(other.answer)}`);
    }
  }
}

/** Remembers what the sides had done at the start, and compares at the end what an operation came to. */
export class WorkLedger {
  readonly #sides: readonly Side[];
  readonly #before = new Map<string, Work>();
  readonly #operations = new Map<string, number>();

  constructor(sides: readonly Side[]) {
    this.#sides = sides;
  }

  async open(): Promise<void> {
    for (const side of this.#sides) {
      this.#before.set(side.name, (await side.work?.()) ?? {});
    }
  }

  add(name: string, operations: number): void {
    this.#operations.set(name, (this.#operations.get(name) ?? 0) + operations);
  }

  /** Answers with what an operation of each side came to. Throws unless it is the same wherever two sides count the same. */
  async close(): Promise<Readonly<Record<string, Work>>> {
    const perOperation: Record<string, Work> = {};
    for (const side of this.#sides) {
      const after = (await side.work?.()) ?? {};
      const operations = this.#operations.get(side.name) ?? 0;
      const before = this.#before.get(side.name) ?? {};
      perOperation[side.name] = Object.fromEntries(
        Object.entries(after).map(([what, count]) => [what, (count - (before[what] ?? 0)) / operations]),
      );
    }
    for (const left of this.#sides) {
      for (const right of this.#sides) {
        requireSame(left.name, perOperation[left.name] ?? {}, { name: right.name, work: perOperation[right.name] ?? {} });
      }
    }
    return perOperation;
  }
}

function requireSame(name: string, work: Work, other: { readonly name: string; readonly work: Work }): void {
  for (const [what, done] of Object.entries(work)) {
    const theirs = other.work[what];
    if (theirs === undefined) {
      continue;
    }
    const tolerance = what === "bytes" ? BYTES_DIFFER_BY * done : 1e-9 * Math.abs(done);
    if (!(done > 0) || Math.abs(done - theirs) > tolerance) {
      throw new Error(`An operation of ${name} came to ${done} ${what}, one of ${other.name} to ${theirs}: they do not do the same work.`);
    }
  }
}

function shown(answer: unknown): string {
  return JSON.stringify(answer)?.slice(0, 2_000) ?? String(answer);
}

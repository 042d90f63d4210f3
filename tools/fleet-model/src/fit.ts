import { KINDS, type Kind, type Work } from "./costs.ts";

/** Work that was done, and the CPU that it used. */
export interface Observation {
  readonly work: Work;
  readonly micros: number;
}

const ROUNDS = 20_000;

/**
 * Finds the costs of each kind of work that explain observations best, by least squares of the relative errors. No cost is below 0. It goes
 * from one cost to the next and moves each to where the error is least, again and again.
 *
 * @param kinds those that may cost something; the others cost 0, and so does one that was never done
 */
export function fitCosts(observations: readonly Observation[], kinds: readonly Kind[] = KINDS): Work {
  // Each row says: these shares of the CPU, times their costs, come to 1.
  const rows = observations.filter(({ micros }) => micros > 0).map(({ work, micros }) => kinds.map((kind) => work[kind] / micros));
  const costs = kinds.map(() => 0);
  const errors = rows.map(() => 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [column, cost] of costs.entries()) {
      const moved = Math.max(0, cost + bestMove(rows, errors, column));
      for (const [at, row] of rows.entries()) {
        errors[at] = (errors[at] ?? 0) - (moved - cost) * (row[column] ?? 0);
      }
      costs[column] = moved;
    }
  }
  return workOf((kind) => costs[kinds.indexOf(kind)] ?? 0);
}

/** An amount for each kind. */
export function workOf(amount: (kind: Kind) => number): Work {
  return Object.fromEntries(KINDS.map((kind) => [kind, amount(kind)])) as Work;
}

function bestMove(rows: readonly (readonly number[])[], errors: readonly number[], column: number): number {
  let along = 0;
  let squares = 0;
  for (const [at, row] of rows.entries()) {
    const share = row[column] ?? 0;
    along += share * (errors[at] ?? 0);
    squares += share * share;
  }
  return squares === 0 ? 0 : along / squares;
}

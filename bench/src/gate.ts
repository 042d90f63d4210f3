import { loadRows, pickRows } from "./harness/load-rows.ts";
import { compare } from "./harness/measure.ts";
import { measuredOf } from "./harness/report.ts";
import type { RatioCase } from "./harness/row.ts";
import { scaleBy } from "./harness/scale.ts";
import type { Estimate } from "./harness/statistics.ts";

/**
 * `pnpm bench:gate`: measures a few rows briefly, and fails if one is clearly slower than it was: less than 0.8 of its goal, or of
 * what it reached when the gate was set where that is short of the goal. It looks only at the CPU of both sides, in turns, which a
 * busy machine disturbs least, and measures once more before it fails.
 */
interface Gate {
  readonly id: string;
  readonly case: string;
  readonly against: string;
  /** The goal, or what was reached, of the other side's CPU over Belfry's. */
  readonly reached: number;
  /** @default {@link ROUNDS} */
  readonly rounds?: number;
}

const GATES: readonly Gate[] = [
  { id: "1a", case: "NORMAL", against: "usual", reached: 0.8 },
  { id: "3a", case: "warm", against: "raw", reached: 4 },
  { id: "3b", case: "SQLite", against: "one row by key", reached: 0.9 },
  { id: "4a", case: "warm", against: "usual", reached: 1.6 },
  { id: "4c", case: "Express", against: "careful", reached: 0.7 },
  // The usual side takes most of a second for an operation.
  { id: "5b", case: "SQLite", against: "usual", reached: 15, rounds: 3 },
  { id: "5d", case: "SQLite", against: "prebuilt chunk", reached: 0.8 },
  { id: "6b", case: "SQLite", against: "raw", reached: 0.22 },
];

const SLACK = 0.8;
const ROUNDS = 9;
const SCALE = 0.02;
const ATTEMPTS = 2;

async function ratioOf(one: RatioCase, { against, rounds = ROUNDS }: Gate): Promise<Estimate> {
  const { ratios } = await compare(one, { scale: scaleBy(SCALE), rounds });
  const found = ratios.find((ratio) => ratio.against === against);
  if (found === undefined) {
    throw new Error(`There is no side ${JSON.stringify(against)}.`);
  }
  return found.cpu;
}

async function passes(gate: Gate): Promise<boolean> {
  const [row] = pickRows(await loadRows(), [gate.id]);
  const one = row?.cases.find(({ name }) => name === gate.case);
  if (one === undefined || !("open" in one)) {
    throw new Error(`The row ${gate.id} has no comparison ${JSON.stringify(gate.case)}.`);
  }
  const floor = gate.reached * SLACK;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const cpu = await ratioOf(one, gate);
    const isFine = cpu.median >= floor;
    const verdict = isFine ? "fine" : `below ${floor.toFixed(2)}`;
    process.stdout.write(`${gate.id} ${gate.case}: CPU × ${gate.against} ${measuredOf(cpu)}: ${verdict}\n`);
    if (isFine) {
      return true;
    }
  }
  return false;
}

const failed: string[] = [];
for (const gate of GATES) {
  if (!(await passes(gate))) {
    failed.push(`${gate.id} ${gate.case}`);
  }
}
if (failed.length > 0) {
  process.stderr.write(`Slower than before: ${failed.join(", ")}. \`pnpm bench <row>\` tells more.\n`);
}
process.exit(failed.length > 0 ? 1 : 0);

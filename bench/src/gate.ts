import { loadRows, pickRows } from "./harness/load-rows.ts";
import { compare } from "./harness/measure.ts";
import { measuredOf } from "./harness/report.ts";
import type { RatioCase } from "./harness/row.ts";
import { scaleBy } from "./harness/scale.ts";
import type { Estimate } from "./harness/statistics.ts";

/**
 * `pnpm bench:gate`: measures a few rows briefly, by their CPU, which a busy machine disturbs least, and fails if one is clearly
 * slower than it was: less than 0.8 of its goal, or of what it reached when the gate was set where that is short of the goal.
 */
interface Gate {
  readonly id: string;
  readonly case: string;
  readonly against: string;
  /** The goal, or what was reached, of the other side's CPU over Belfry's. */
  readonly reached: number;
}

const GATES: readonly Gate[] = [
  { id: "1a", case: "NORMAL", against: "usual", reached: 0.82 },
  { id: "1b", case: "FULL", against: "raw", reached: 0.68 },
  { id: "3a", case: "warm", against: "raw", reached: 0.75 },
  { id: "3b", case: "SQLite", against: "one row by key", reached: 0.79 },
  { id: "4a", case: "warm", against: "usual", reached: 1 },
  { id: "4c", case: "Express", against: "careful", reached: 0.63 },
  { id: "6b", case: "SQLite", against: "raw", reached: 0.12 },
];

const SLACK = 0.8;
const ROUNDS = 9;
const SCALE = 0.1;
/** A disturbance of the machine may spoil one measurement. */
const ATTEMPTS = 3;

async function ratioOf(one: RatioCase, against: string): Promise<Estimate> {
  const { ratios } = await compare(one, { scale: scaleBy(SCALE), rounds: ROUNDS });
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
    const cpu = await ratioOf(one, gate.against);
    const isFine = cpu.high >= floor;
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

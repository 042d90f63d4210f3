import { mkdir, writeFile } from "node:fs/promises";
import { type Measured, measure } from "./measure.ts";
import { ROWS } from "./rows/index.ts";
import { SCENARIOS } from "./scenarios/index.ts";

/** `pnpm bench [id …]`: measures the rows, or those named, prints them, and writes them to `bench/results.json`. */
const wanted = process.argv.slice(2);
const isWanted = ({ id }: { readonly id: string }) => wanted.length === 0 || wanted.includes(id);
const results: Measured[] = [];
for (const row of ROWS.filter(isWanted)) {
  const measured = await measure(row);
  results.push(measured);
  print(measured);
}
const scenarios: Record<string, unknown> = {};
for (const scenario of SCENARIOS.filter(isWanted)) {
  const figures = await scenario.run();
  scenarios[scenario.id] = figures;
  process.stdout.write(`${scenario.id}  ${scenario.what}\n`);
  for (const [name, value] of Object.entries(figures)) {
    process.stdout.write(`      ${name}: ${value}\n`);
  }
}
await mkdir("bench", { recursive: true });
const node = process.version;
await writeFile("bench/results.json", `${JSON.stringify({ node, rows: results, scenarios }, null, 2)}\n`);
process.exit(0);

function print({ id, what, knobs, ratios, rates }: Measured): void {
  process.stdout.write(`${id}  ${what}  (${knobs})\n`);
  for (const [name, { perSecond, cpuMicros }] of Object.entries(rates)) {
    process.stdout.write(`      ${name}: ${Math.round(perSecond)}/s, ${cpuMicros.toFixed(1)} µs CPU\n`);
  }
  for (const { against, median, low, high, goal } of ratios) {
    const verdict = goal === null ? "" : `, goal ≥ ${goal}: ${median >= goal ? "reached" : "missed"}`;
    process.stdout.write(`      ${median.toFixed(2)} × ${against} (${low.toFixed(2)}–${high.toFixed(2)})${verdict}\n`);
  }
}

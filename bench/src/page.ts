import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type GrowthResults, growthCells } from "./growth/growth.ts";
import { goalOf, measuredOf } from "./harness/report.ts";
import { GROWTH_FILE, type Machine, RESULTS_FILE, type Results, readResults } from "./harness/results.ts";
import type { CaseResult, Verdict } from "./harness/run-case.ts";
import type { RowResult } from "./harness/run-row.ts";

/**
 * `pnpm bench:page [file …]`: writes figures into docs/performance.md, between its markers: those of the last run, or of the files given,
 * a column each, oldest first; and the growth table if there is one.
 */
const PAGE = fileURLToPath(new URL("../../docs/performance.md", import.meta.url));

/** The name of a run in the heading of its column. */
function nameOf({ measuredAt }: Machine): string {
  return measuredAt.slice(0, 16).replace("T", " ");
}

function tableText(cells: readonly (readonly string[])[]): string {
  const [heading = [], ...lines] = cells.map((line) => line.map((cell) => cell.replaceAll("|", "\\|")));
  const all = [heading, heading.map(() => "---"), ...lines];
  return all.map((line) => `| ${line.join(" | ")} |`).join("\n");
}

function verdictOf(run: Results, id: string, { name, what }: { readonly name: string; readonly what: string }): Verdict | undefined {
  const one = run.rows.find((row) => row.id === id)?.cases.find((other) => other.name === name);
  return one?.verdicts.find((verdict) => verdict.what === what);
}

function cellOf(verdict: Verdict | undefined): string {
  return verdict === undefined ? "–" : `${measuredOf(verdict)}${verdict.isReached ? " ✓" : ""}`;
}

function rowCells({ id, scale, cases }: RowResult, runs: readonly Results[]): readonly (readonly string[])[] {
  return cases.flatMap((one: CaseResult) =>
    one.verdicts.map((verdict) => [
      scale === 1 ? id : `${id}, tables × ${scale}`,
      one.name,
      verdict.what,
      goalOf(verdict),
      ...runs.map((run) => cellOf(verdictOf(run, id, { name: one.name, what: verdict.what }))),
    ]),
  );
}

function rowsText(runs: readonly Results[]): string {
  // Goals may have changed since earlier runs.
  const last = runs.at(-1);
  const machines = runs.map(({ machine }) => `${nameOf(machine)}: ${machine.processors}, ${machine.system}, Node ${machine.node}.`);
  const heading = ["row", "case", "what", "goal", ...runs.map(({ machine }) => nameOf(machine))];
  const lines = (last?.rows ?? []).flatMap((row) => rowCells(row, runs));
  return `${machines.join("\n")}\n\n${tableText([heading, ...lines])}`;
}

function growthText({ machine, growth }: GrowthResults): string {
  const tables = growth.map((one) => `${one.database} (${one.knobs}):\n\n${tableText(growthCells(one))}`);
  return `${nameOf(machine)}: ${machine.processors}, Node ${machine.node}.\n\n${tables.join("\n\n")}`;
}

function replaceBlock(page: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name}: written by pnpm bench:page -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) {
    throw new Error(`${PAGE} lacks the markers ${start} and ${end}.`);
  }
  return `${page.slice(0, from + start.length)}\n\n${text}\n\n${page.slice(to)}`;
}

const files = process.argv.slice(2);
const runs: Results[] = [];
for (const file of files.length > 0 ? files : [RESULTS_FILE]) {
  const run = await readResults<Results>(file);
  if (run === undefined) {
    throw new Error(`There is no ${file}: run pnpm bench first.`);
  }
  runs.push(run);
}
let page = replaceBlock(await readFile(PAGE, "utf8"), "rows", rowsText(runs));
const growth = await readResults<GrowthResults>(GROWTH_FILE);
if (growth !== undefined) {
  page = replaceBlock(page, "growth", growthText(growth));
}
await writeFile(PAGE, page);
// It lines up the columns. The package manager that runs this has put it on the path.
execFileSync("biome", ["check", "--write", PAGE], { stdio: "inherit", shell: process.platform === "win32" });

import type { SideFigures } from "./measure.ts";
import type { CaseResult, Verdict } from "./run-case.ts";
import type { RowResult } from "./run-row.ts";
import type { Estimate } from "./statistics.ts";

/** The lines that tell all about a row: each case's settings, sides, ratios and goals. */
export function detailsOf({ id, what, cases, notYet }: RowResult): readonly string[] {
  return [`${id}  ${what}`, ...cases.flatMap(caseLines), ...notYet.map((part) => `  not measured: ${part}`)];
}

/** The table of all rows: one line for each goal. */
export function tableOf(rows: readonly RowResult[]): readonly string[] {
  const lines = rows.flatMap(({ id, cases }) =>
    cases.flatMap(({ name, skipped, verdicts }) =>
      skipped === null
        ? verdicts.map((verdict) => [
            id,
            name,
            verdict.what,
            goalOf(verdict),
            measuredOf(verdict),
            verdict.isReached ? "reached" : "missed",
          ])
        : [[id, name, "", "", skipped, "skipped"]],
    ),
  );
  const all = [["row", "case", "what", "goal", "measured (95 %)", ""], ...lines];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0))) ?? [];
  return all.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** A goal, as `≥ 0.95` or `≤ 25 ms`. */
export function goalOf({ isFloor, goal, unit }: Verdict): string {
  return `${isFloor ? "≥" : "≤"} ${short(goal)}${unit === "" ? "" : ` ${unit}`}`;
}

/** What was measured, as `0.91 (0.88–0.95)`. */
export function measuredOf({ median, low, high }: Estimate): string {
  return `${short(median)} (${short(low)}–${short(high)})`;
}

function caseLines({ name, skipped, knobs, compared, figures, verdicts }: CaseResult): readonly string[] {
  if (skipped !== null) {
    return [`  ${name}: skipped: ${skipped}`];
  }
  const sides = Object.entries(compared?.sides ?? {}).map(([side, of]) => `    ${side}: ${sideLine(of)}`);
  const ratios = (compared?.ratios ?? []).map(
    ({ of, against, rate, cpu }) => `    ${of} / ${against}: rate ${measuredOf(rate)}, CPU ${measuredOf(cpu)}`,
  );
  const values = Object.entries(figures ?? {}).map(([figure, of]) => `    ${figure}: ${measuredOf(of)}`);
  const goals = verdicts.map((one) => `    goal ${one.what} ${goalOf(one)}: ${short(one.median)}, ${one.isReached ? "reached" : "missed"}`);
  const notes = (compared?.notes ?? []).map((note) => `    ${note}`);
  return [`  ${name}  (${knobs})`, ...sides, ...ratios, ...values, ...goals, ...notes];
}

function sideLine({ perSecond, cpuMicros, serverMicros, work }: SideFigures): string {
  const server = serverMicros > 0 ? ` + ${short(serverMicros)} of the server` : "";
  const done = Object.entries(work).map(([what, count]) => `${short(count)} ${what}`);
  return `${short(perSecond)}/s, CPU ${short(cpuMicros)} µs${server}${done.length > 0 ? `; each ${done.join(", ")}` : ""}`;
}

/** Three digits, or whole numbers. */
function short(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Row } from "./row.ts";
import type { CaseResult } from "./run-case.ts";

/** A measured row. */
export interface RowResult {
  readonly id: string;
  readonly what: string;
  /** How large its tables were: 1, or less for a trial. */
  readonly scale: number;
  readonly cases: readonly CaseResult[];
  readonly notYet: readonly string[];
}

/** How a row is measured. */
export interface RowOptions {
  /** How large its tables are: 1 for figures that count. */
  readonly scale: number;
  /** @default those of each case, and more while the figures are uncertain */
  readonly rounds?: number | undefined;
}

/** A case to be measured: its row and its name. */
export interface CaseTask extends RowOptions {
  readonly id: string;
  readonly name: string;
}

const CASE_PROCESS = fileURLToPath(new URL("./case-process.ts", import.meta.url));

/**
 * Measures all cases of a row, each in a process of its own, with its own database server: so no figure depends on what ran before,
 * by what V8 compiled for other code, by garbage, or by pages that a server has still to write.
 */
export async function runRow({ id, what, cases, notYet = [] }: Row, options: RowOptions): Promise<RowResult> {
  const results: CaseResult[] = [];
  for (const { name } of cases) {
    results.push(await runApart({ ...options, id, name }));
  }
  return { id, what, scale: options.scale, cases: results, notYet };
}

async function runApart(task: CaseTask): Promise<CaseResult> {
  const child = fork(CASE_PROCESS, [JSON.stringify(task)], { execArgv: ["--conditions=@belfry/source"], serialization: "advanced" });
  const [result] = await Promise.all([answerOf(child, task), once(child, "exit")]);
  return result;
}

function answerOf(child: ChildProcess, { id, name }: CaseTask): Promise<CaseResult> {
  return new Promise((resolve, reject) => {
    child.once("message", (result) => resolve(result as CaseResult));
    child.once("error", reject);
    child.once("exit", (code, signal) => reject(new Error(`The case ${JSON.stringify(name)} of ${id} ended with ${code ?? signal}.`)));
  });
}

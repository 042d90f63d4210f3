/** Measures one case of a row, which its argument names as a {@link CaseTask} in JSON, and sends what it found to its parent. */
import { loadRows, pickRows } from "./load-rows.ts";
import { runCase } from "./run-case.ts";
import type { CaseTask } from "./run-row.ts";
import { scaleBy } from "./scale.ts";

async function measure({ id, name, scale, rounds }: CaseTask) {
  const [row] = pickRows(await loadRows(), [id]);
  const one = row?.cases.find((other) => other.name === name);
  if (one === undefined) {
    throw new Error(`The row ${id} has no case ${JSON.stringify(name)}.`);
  }
  return await runCase(one, { scale: scaleBy(scale), rounds });
}

// A run that was interrupted takes its part with it, and that its servers.
process.once("disconnect", () => process.exit(1));
const result = await measure(JSON.parse(process.argv[2] ?? "") as CaseTask);
process.send?.(result, () => process.exit(0));

// Runs every test that shows a row of the hostile-input table, and prints the table with its results.
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { startVitest, type TestCase } from "vitest/node";
import { HOSTILE_ROWS } from "./hostile-rows.ts";

const root = join(import.meta.dirname, "..");
const ROW = /\brows? (\d+(?:, \d+)*): /;
/** The servers on which every row of the HTTP suite has to pass: both frameworks, both databases. */
const SERVERS = ["packages/adapter-express/test/postgres.test.ts", "packages/adapter-hono/test/sqlite.test.ts"];
const SUITE = /^HTTP: (.*)$/;

interface RowResult {
  readonly passed: Map<string, number>;
  readonly failed: string[];
}

// In its short form, the second server runs only what a framework could change.
process.env.BELFRY_LONG = "1";
const vitest = await startVitest("test", await filesWithRows(), { run: true, reporters: ["dot"], testNamePattern: ROW, root });
const rows = new Map<number, RowResult>();
for (const module of vitest.state.getTestModules()) {
  for (const test of module.children.allTests()) {
    note(test, module.relativeModuleId);
  }
}
await vitest.close();
const verdicts = Object.entries(HOSTILE_ROWS).map(([row, what]) => ({ row: Number(row), what, ...verdict(Number(row)) }));
console.log(verdicts.map(({ row, what, text }) => `${String(row).padStart(2)}  ${what.padEnd(58)}  ${text}`).join("\n"));
const bad = verdicts.filter(({ isGood }) => !isGood);
const toMend = bad.length === 0 ? "." : `; look at ${bad.map(({ row }) => row).join(", ")}.`;
console.log(`\n${verdicts.length - bad.length} of ${verdicts.length} rows hold${toMend}`);
process.exitCode = bad.length === 0 ? 0 : 1;

/** Finds the test files with rows of their own, and the files that run the HTTP suite. */
async function filesWithRows(): Promise<string[]> {
  const found: string[] = [...SERVERS];
  for await (const file of glob(["packages/*/{src,test}/**/*.test.ts", "tools/*/test/**/*.test.ts"], { cwd: root })) {
    if (ROW.test(await readFile(join(root, file), "utf8"))) {
      found.push(file);
    }
  }
  return found;
}

function note(test: TestCase, file: string): void {
  const { state } = test.result();
  const numbers = ROW.exec(test.name)?.[1];
  if (numbers === undefined || state === "skipped") {
    return;
  }
  for (const row of numbers.split(", ").map(Number)) {
    const result: RowResult = rows.get(row) ?? { passed: new Map<string, number>(), failed: [] };
    rows.set(row, result);
    if (state === "passed") {
      const place = SUITE.exec(test.fullName.split(" > ")[0] ?? "")?.[1] ?? file.split("/")[1] ?? file;
      result.passed.set(place, (result.passed.get(place) ?? 0) + 1);
    } else {
      result.failed.push(test.fullName);
    }
  }
}

function verdict(row: number): { readonly isGood: boolean; readonly text: string } {
  const result = rows.get(row);
  if (result === undefined) {
    return { isGood: false, text: `MISSING: no test is called "row ${row}: …"` };
  }
  if (result.failed.length > 0) {
    return { isGood: false, text: `FAILED: ${result.failed.join("; ")}` };
  }
  const places = [...result.passed.keys()];
  const servers = places.filter((place) => place.includes(" over "));
  if (servers.length === 1) {
    return { isGood: false, text: `MISSING on the other server: ${places.join(", ")}` };
  }
  return { isGood: true, text: `passed: ${[...result.passed].map(([place, count]) => `${place} ${count}`).join(", ")}` };
}

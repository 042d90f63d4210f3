// Runs the fault tests: `pnpm chaos [--all] [--seed <number>] [F1 F13 …]`. Without --all it runs a slice that fits into CI.
// It prints the seed, with which a run can be repeated, and in the end what each fault measured.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: { all: { type: "boolean", default: false }, seed: { type: "string" } },
  allowPositionals: true,
});
const seed = values.seed ?? String(Math.floor(Math.random() * 1_000_000));
if (!/^\d{1,9}$/.test(seed)) {
  throw new Error(`--seed takes a whole number, got ${JSON.stringify(seed)}. A run prints its own.`);
}
const files = positionals.map((fault) => {
  const [, number] = /^F?(\d{1,2})$/i.exec(fault) ?? [];
  // F15 is the fuzz by two tenants.
  return number === undefined ? fault : number === "15" ? "fuzz.test.ts" : `faults/f${number.padStart(2, "0")}-`;
});

const root = new URL("..", import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), "belfry-chaos-"));
const figures = join(directory, "figures");
// F15 of the whole has more requests than a test run.
const fuzz = values.all ? { BELFRY_FUZZ: process.env.BELFRY_FUZZ ?? "2000" } : {};
const again = `pnpm chaos${values.all ? " --all" : ""} --seed ${seed}${positionals.map((fault) => ` ${fault}`).join("")}`;
const startedAt = performance.now();
console.log(`Seed ${seed}; again with: ${again}`);
try {
  const { status } = spawnSync("vitest", ["run", "--config", "vitest.chaos.config.ts", ...files], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, CHAOS_SEED: seed, CHAOS_ALL: values.all ? "1" : "0", CHAOS_FIGURES: figures, BELFRY_FUZZ_SEED: seed, ...fuzz },
  });
  console.log(existsSync(figures) ? readFileSync(figures, "utf8") : "Nothing was measured.");
  console.log(
    `${status === 0 ? "Sound" : "NOT SOUND"} after ${Math.round((performance.now() - startedAt) / 1_000)} s; again with: ${again}`,
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, platform, release } from "node:os";
import { fileURLToPath } from "node:url";
import type { RowResult } from "./run-row.ts";

/** The file of the last figures; git ignores it. */
export const RESULTS_FILE = fileURLToPath(new URL("../../results/rows.json", import.meta.url));

/** The file of the last growth table. */
export const GROWTH_FILE = fileURLToPath(new URL("../../results/growth.json", import.meta.url));

/** The file of the last runs that the costs of a fleet were fitted to. */
export const FLEET_FILE = fileURLToPath(new URL("../../results/fleet.json", import.meta.url));

/** The machine that figures are of. */
export interface Machine {
  readonly node: string;
  readonly system: string;
  readonly processors: string;
  readonly measuredAt: string;
}

/** Figures of rows, and the machine they are of. */
export interface Results {
  readonly machine: Machine;
  readonly rows: readonly RowResult[];
}

export function thisMachine(): Machine {
  return {
    node: process.version,
    system: `${platform()} ${release().split("-")[0]}`,
    processors: `${availableParallelism()} × ${cpus()[0]?.model ?? "unknown"}`,
    measuredAt: new Date().toISOString(),
  };
}

/** Writes figures of rows, beside those that other runs left of other rows. */
export async function writeRows(rows: readonly RowResult[]): Promise<void> {
  const before = await readResults<Results>(RESULTS_FILE);
  const kept = (before?.rows ?? []).filter(({ id }) => !rows.some((row) => row.id === id));
  const all = [...kept, ...rows].toSorted((left, right) => left.id.localeCompare(right.id));
  await writeResults(RESULTS_FILE, { machine: thisMachine(), rows: all } satisfies Results);
}

export async function writeResults(file: string, results: object): Promise<void> {
  await mkdir(new URL("../../results/", import.meta.url), { recursive: true });
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
}

/** Reads a file of results; undefined if there is none. */
export async function readResults<Content>(file: string): Promise<Content | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Content;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}

import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, buildSync } from "esbuild";
import { RUN_VARIABLE } from "./one-run.ts";

/** Native modules load from their own packages. */
const EXTERNAL = ["better-sqlite3", "pg-native"];
const REQUIRE = 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);';

const OPTIONS = {
  ...({ bundle: true, platform: "node", format: "esm" } as const),
  ...{ conditions: ["@belfry/source"], external: EXTERNAL, banner: { js: REQUIRE } },
} satisfies BuildOptions;

const made = new Map<string, string>();

/**
 * Makes one file of a program and all that it imports, from the packages' sources, and returns its path. A process starts
 * six times faster from it than from a thousand files. All processes of a test run have the one that the first of them made.
 */
export function bundledProgram(source: URL): string {
  const file = made.get(source.href) ?? make(source);
  made.set(source.href, file);
  return file;
}

/**
 * Makes a file of each of many programs of a package, all in one folder, and what they share once. Returns where a program's file is. For
 * one test file alone: it has no other name for other programs of the package.
 */
export function bundledPrograms(sources: readonly URL[]): (source: URL) => string {
  const [first] = sources;
  if (first === undefined) {
    throw new Error("There are no programs to bundle.");
  }
  const outdir = join(cacheOf(first), "together");
  buildSync({
    ...OPTIONS,
    entryPoints: sources.map((source) => fileURLToPath(source)),
    outdir,
    splitting: true,
    outExtension: { ".js": ".mjs" },
  });
  return (source) => join(outdir, `${nameOf(source)}.mjs`);
}

/** Below the package's own node_modules, what stays external is found. */
function cacheOf(source: URL): string {
  const packageJson = findPackageJSON(source);
  if (packageJson === undefined) {
    throw new Error(`${source} is in no package.`);
  }
  return join(dirname(packageJson), "node_modules/.cache/belfry-programs");
}

function nameOf(source: URL): string {
  return basename(source.pathname, ".ts");
}

function make(source: URL): string {
  const file = join(cacheOf(source), `${nameOf(source)}.mjs`);
  const run = process.env[RUN_VARIABLE];
  // Says of which run the file is.
  const mark = `${file}.run`;
  if (run !== undefined && existsSync(mark) && readFileSync(mark, "utf8") === run) {
    return file;
  }
  const { outputFiles } = buildSync({ ...OPTIONS, entryPoints: [fileURLToPath(source)], write: false });
  mkdirSync(dirname(file), { recursive: true });
  replace(file, outputFiles[0]?.contents ?? "");
  if (run !== undefined) {
    replace(mark, run);
  }
  return file;
}

/** Writes a file that another test file may read at this moment. */
function replace(file: string, contents: string | Uint8Array): void {
  const unfinished = `${file}.${randomUUID()}`;
  writeFileSync(unfinished, contents);
  renameSync(unfinished, file);
}

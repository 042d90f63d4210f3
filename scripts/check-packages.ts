// Checks every published package as a host would get it: it packs the package, checks the tarball with publint and
// are-the-types-wrong, loads each entry point by import and by require, and looks for types that signatures name but that
// no entry point exports. It needs a build.
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type EntryPoint, unexportedTypes } from "./unexported-types.ts";

const run = promisify(execFile);
const root = new URL("..", import.meta.url).pathname;

/** The entry points of a package that hosts import, by their names below the package's. */
type Exports = Readonly<Record<string, string | { readonly import: { readonly types: string; readonly default: string } }>>;

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports: Exports;
  readonly publishConfig: { readonly exports: Exports };
}

/** Entry points that only run inside a test runner. */
const NOT_LOADED = new Set(["@belfry/testkit"]);

const tarballs = await mkdtemp(join(tmpdir(), "belfry-packages-"));
let failures = 0;
try {
  for (const name of (await readdir(join(root, "packages"))).sort()) {
    failures += await check(name);
  }
} finally {
  await rm(tarballs, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;

async function check(name: string): Promise<number> {
  const directory = join(root, "packages", name);
  const manifest = JSON.parse(await readFile(join(directory, "package.json"), "utf8")) as Manifest;
  if (manifest.private) {
    return 0;
  }
  const tarball = join(tarballs, `${name}.tgz`);
  await run("pnpm", ["pack", "--out", tarball], { cwd: directory });
  const found = await Promise.all([
    tool("publint", ["--strict", tarball]),
    tool("attw", [tarball, "--profile", "node16", "--format", "ascii", "--no-emoji"]),
    contents(tarball),
    entryPoints(manifest),
    loads(directory, manifest),
    unexportedTypes(directory, importedEntryPoints(manifest)),
  ]);
  const problems = found.flat();
  console.log(`${problems.length === 0 ? "ok" : "NOT OK"}  ${manifest.name}`);
  for (const problem of problems) {
    console.log(problem.replaceAll(/^/gm, "    "));
  }
  return problems.length;
}

/** Runs a checker of the workspace; if it fails, its whole output is the problem. */
async function tool(name: string, args: readonly string[]): Promise<string[]> {
  return run(name, args).then(
    () => [],
    (error: { stdout: string; stderr: string }) => [`${name}:\n${error.stdout}${error.stderr}`],
  );
}

/** Checks that a package holds only its build, its README and the license. */
async function contents(tarball: string): Promise<string[]> {
  const { stdout } = await run("tar", ["-tzf", tarball]);
  const files = stdout.trim().split("\n");
  const missing = ["package/LICENSE", "package/README.md", "package/dist/index.js"].filter((file) => !files.includes(file));
  const foreign = files.filter((file) => !/^package\/(dist\/.+|LICENSE|README\.md|package\.json)$/.test(file));
  return [...missing.map((file) => `the tarball lacks ${file}`), ...foreign.map((file) => `the tarball holds ${file}`)];
}

/** Checks that a package publishes the same entry points that the workspace uses. */
function entryPoints({ exports, publishConfig }: Manifest): string[] {
  const [here, published] = [Object.keys(exports), Object.keys(publishConfig.exports)].map((keys) => keys.sort().join(" "));
  return here === published ? [] : [`exports (${here}) and publishConfig.exports (${published}) differ`];
}

/** The files behind the entry points for importers. */
function importedEntryPoints({ publishConfig }: Manifest): EntryPoint[] {
  return Object.values(publishConfig.exports).flatMap((entry) =>
    typeof entry === "string" ? [] : [{ types: entry.import.types, code: entry.import.default }],
  );
}

/** Checks that every entry point loads by import and by require, and that both give the same names. */
async function loads(directory: string, { name, exports }: Manifest): Promise<string[]> {
  if (NOT_LOADED.has(name)) {
    return [];
  }
  const problems = Object.keys(exports)
    .filter((key) => key !== "./package.json")
    .map(async (key) => {
      const entry = JSON.stringify(name + key.slice(1));
      const print = "console.log(Object.keys(names).filter((name) => name !== 'default' && name !== '__esModule').sort().join())";
      const [imported, required] = await Promise.all([
        run(process.execPath, ["--input-type=module", "-e", `const names = await import(${entry}); ${print}`], { cwd: directory }),
        run(process.execPath, ["--input-type=commonjs", "-e", `const names = require(${entry}); ${print}`], { cwd: directory }),
      ]).catch((error: { stderr: string }) => [{ stdout: error.stderr }, { stdout: "" }]);
      return imported?.stdout === required?.stdout ? [] : [`${entry} by import: ${imported?.stdout}by require: ${required?.stdout}`];
    });
  return (await Promise.all(problems)).flat();
}

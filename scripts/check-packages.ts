// Checks every published package as a host would get it: it packs the package, checks the tarball with publint and
// are-the-types-wrong, loads each entry point by import and by require, and looks for types that signatures name but that
// no entry point exports. Then it compiles a host that uses them all. It needs a build.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { consumerProblems, type PackedPackage } from "./consumer-types.ts";
import { packPackages } from "./pack-packages.ts";
import { declarationsOf, type EntryPoint, unexportedTypes } from "./unexported-types.ts";

const run = promisify(execFile);
const root = new URL("..", import.meta.url).pathname;

/** The entry points of a package that hosts import, by their names below the package's. */
type Exports = Readonly<Record<string, string | { readonly import: { readonly types: string; readonly default: string } }>>;

/** Those of the workspace: some of them have only a source, which other packages of the workspace build into their own. */
type OwnExports = Readonly<Record<string, Exports[string] | { readonly "@belfry/source": string }>>;

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports: OwnExports;
  readonly publishConfig: { readonly exports: Exports };
}

interface Packed extends PackedPackage {
  readonly manifest: Manifest;
}

/** Entry points that only run inside a test runner. */
const NOT_LOADED = new Set(["@belfry/testkit"]);

const temporary = await mkdtemp(join(tmpdir(), "belfry-packages-"));
let failures = 0;
try {
  const packages = await packAll();
  const declarations = declarationsOf(packages.flatMap(importedEntryPoints));
  for (const each of packages) {
    report(each.name, [
      ...(await check(each)),
      ...unexportedTypes(declarations, { directory: each.directory, entryPoints: importedEntryPoints(each) }),
    ]);
  }
  const consumer = join(temporary, "consumer");
  await mkdir(consumer);
  report("a host that uses them all", await consumerProblems(packages, consumer));
} finally {
  await rm(temporary, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;

async function packAll(): Promise<Packed[]> {
  return (await packPackages<Manifest>(root, temporary)).map((packed) => ({
    ...packed,
    name: packed.manifest.name,
    entryPoints: Object.entries(packed.manifest.publishConfig.exports).flatMap(([key, entry]) =>
      typeof entry === "string" || key.includes("*") ? [] : [key],
    ),
  }));
}

function report(subject: string, problems: readonly string[]): void {
  console.log(`${problems.length === 0 ? "ok" : "NOT OK"}  ${subject}`);
  for (const problem of problems) {
    console.log(problem.replaceAll(/^/gm, "    "));
  }
  failures += problems.length;
}

async function check({ directory, tarball, entryPoints, manifest }: Packed): Promise<string[]> {
  const found = await Promise.all([
    published(tarball),
    wrongTypes(tarball),
    contents(tarball),
    publishedEntryPoints(manifest),
    loads(directory, { name: manifest.name, entryPoints }),
  ]);
  return found.flat();
}

/** Runs publint in this process: it takes longer to load than to check. */
async function published(tarball: string): Promise<string[]> {
  const { buffer } = new Uint8Array(await readFile(tarball));
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true, level: "error" });
  return messages.map((message) => `publint: ${formatMessage(message, pkg) ?? message.code}`);
}

/** Runs are-the-types-wrong in this process, too. `node10` knows no `exports`. */
async function wrongTypes(tarball: string): Promise<string[]> {
  const data = createPackageFromTarballData(new Uint8Array(await readFile(tarball)));
  // Styles, and scripts that nobody imports, have no types.
  const analysis = await checkPackage(data, { excludeEntrypoints: [/\.css$/, /worker\.js$/] });
  const problems = analysis.types
    ? analysis.problems.filter((each) => !("resolutionKind" in each && each.resolutionKind === "node10"))
    : [];
  return [
    ...problems.map((each) => `are-the-types-wrong: ${JSON.stringify(each)}`),
    ...(analysis.types ? [] : ["the tarball holds no types"]),
  ];
}

/** Checks that a package holds only its build, its README and the license. */
async function contents(tarball: string): Promise<string[]> {
  const { stdout } = await run("tar", ["-tzf", tarball]);
  const files = stdout.trim().split("\n");
  const missing = ["package/LICENSE", "package/README.md", "package/dist/index.js"].filter((file) => !files.includes(file));
  const foreign = files.filter((file) => !/^package\/(dist\/.+|LICENSE|README\.md|package\.json)$/.test(file));
  return [...missing.map((file) => `the tarball lacks ${file}`), ...foreign.map((file) => `the tarball holds ${file}`)];
}

/** Checks that a package publishes the same entry points that the workspace uses, but for those that have only a source. */
function publishedEntryPoints({ exports, publishConfig }: Manifest): string[] {
  const built = Object.entries(exports).flatMap(([key, entry]) => (typeof entry === "string" || "import" in entry ? [key] : []));
  const [here, published] = [built, Object.keys(publishConfig.exports)].map((keys) => keys.sort().join(" "));
  return here === published ? [] : [`exports (${here}) and publishConfig.exports (${published}) differ`];
}

/** The files behind the entry points for importers. */
function importedEntryPoints({ directory, manifest }: Packed): EntryPoint[] {
  return Object.entries(manifest.publishConfig.exports).flatMap(([key, entry]) =>
    typeof entry === "string" || key.includes("*")
      ? []
      : [{ types: join(directory, entry.import.types), code: join(directory, entry.import.default) }],
  );
}

/** Checks that every entry point loads by import and by require, and that both give the same names. */
async function loads(directory: string, { name, entryPoints }: Pick<PackedPackage, "name" | "entryPoints">): Promise<string[]> {
  const entries = entryPoints.map((key) => name + key.slice(1)).filter((entry) => !NOT_LOADED.has(entry));
  // What entry points have in common is loaded once for all of them.
  const printed = async (type: string, load: string) => {
    const names = "Object.keys(names).filter((name) => name !== 'default' && name !== '__esModule').sort().join()";
    const script = `for (const entry of ${JSON.stringify(entries)}) { const names = ${load}; console.log(entry, ${names}); }`;
    const { stdout } = await run(process.execPath, [`--input-type=${type}`, "-e", script], { cwd: directory });
    return stdout;
  };
  try {
    const [imported, required] = await Promise.all([printed("module", "await import(entry)"), printed("commonjs", "require(entry)")]);
    return imported === required ? [] : [`by import:\n${imported}by require:\n${required}`];
  } catch (error) {
    return [String(error)];
  }
}

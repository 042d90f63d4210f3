import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, realpath, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = new URL("..", import.meta.url).pathname;
const CONSUMER = join(root, "tools/consumer");

/** A package as it is published. */
export interface PackedPackage {
  readonly name: string;
  /** Where it is in the workspace. */
  readonly directory: string;
  readonly tarball: string;
  /** The names below the package's that hosts import, for example `./storage`. */
  readonly entryPoints: readonly string[];
}

interface Dependencies {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** One way in which hosts compile. */
interface Compilation {
  readonly name: string;
  /** The ending of the host's files, which makes them CommonJS or ES modules. */
  readonly ending: "cts" | "mts" | "ts";
  readonly options: Readonly<Record<string, unknown>>;
}

const COMPILATIONS: readonly Compilation[] = [
  { name: "CommonJS", ending: "cts", options: { module: "node16", target: "es2022" } },
  { name: "ESM", ending: "mts", options: { module: "nodenext", target: "es2024", exactOptionalPropertyTypes: true } },
  { name: "bundler", ending: "ts", options: { module: "esnext", moduleResolution: "bundler", target: "es2022" } },
];

/** drizzle-orm's declarations name drivers that hosts do not install, and do not compile without `skipLibCheck` by themselves. */
const BROKEN_BY_THEMSELVES = /\/node_modules\/drizzle-orm\//;

/**
 * Compiles a host that uses every entry point of the packed packages, with `strict` and without `skipLibCheck`, in each way
 * that hosts compile. The host has what its manifest names, and each package has its own dependencies and no others.
 *
 * @param directory an empty directory outside the workspace, so that nothing of the workspace is found from there
 * @returns the errors of the compiler, but for those in drizzle-orm's own declarations
 */
export async function consumerProblems(packages: readonly PackedPackage[], directory: string): Promise<string[]> {
  await Promise.all(packages.map((each) => install(each, directory)));
  await link(await dependencies(CONSUMER, "devDependencies"), { from: CONSUMER, to: directory });
  const names = packages.flatMap(({ name, entryPoints }) => entryPoints.map((entryPoint) => name + entryPoint.slice(1)));
  const everything = names.map((name, index) => `export * as entryPoint${index} from ${JSON.stringify(name)};\n`).join("");
  for (const ending of ["cts", "mts", "ts"]) {
    await copyFile(join(CONSUMER, "src/consumer.ts"), join(directory, `consumer.${ending}`));
    await writeFile(join(directory, `every-entry-point.${ending}`), everything);
  }
  const problems: string[] = [];
  for (const compilation of COMPILATIONS) {
    problems.push(...(await compile(compilation, directory)).map((error) => `${compilation.name}: ${error}`));
  }
  return problems;
}

/** Unpacks a package and gives it its own dependencies. */
async function install({ name, directory, tarball }: PackedPackage, consumer: string): Promise<void> {
  const target = join(consumer, "node_modules", name);
  await mkdir(target, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", target, "--strip-components=1"]);
  await link(await dependencies(target, "dependencies"), { from: directory, to: target });
}

/** The names of what a manifest asks of others. */
async function dependencies(directory: string, field: keyof Dependencies): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(directory, "package.json"), "utf8")) as Dependencies;
  return Object.keys(manifest[field] ?? {}).filter((name) => !name.startsWith("@belfry/"));
}

/** Links packages as one directory of the workspace has them into another directory. */
async function link(names: readonly string[], { from, to }: { readonly from: string; readonly to: string }): Promise<void> {
  for (const name of names) {
    const target = join(to, "node_modules", name);
    await mkdir(dirname(target), { recursive: true });
    await symlink(await realpath(join(from, "node_modules", name)), target);
  }
}

async function compile({ ending, options }: Compilation, directory: string): Promise<string[]> {
  const project = join(directory, "tsconfig.json");
  const compilerOptions = { strict: true, skipLibCheck: false, noEmit: true, types: ["node"], ...options };
  await writeFile(project, JSON.stringify({ compilerOptions, files: [`consumer.${ending}`, `every-entry-point.${ending}`] }));
  const output = await run("tsc", ["--project", project, "--pretty", "false", "--singleThreaded"], {
    cwd: directory,
    maxBuffer: 64 * 1024 * 1024,
  }).then(
    () => "",
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
  // An error goes on in lines that are indented.
  return output.split(/\n(?=\S)/).filter((error) => error.trim() !== "" && !BROKEN_BY_THEMSELVES.test(error.split("(", 1)[0] ?? ""));
}

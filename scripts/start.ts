// Builds what has changed of the complete host and of the packages it is made of, says so, and starts it.
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { glob, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const HOST = "@belfry/example-server";

/** The files that a build depends on besides the packages' own. */
const SHARED_FILES = ["tsup.base.ts", "tsconfig.base.json", "pnpm-lock.yaml"];
/** Files that a build makes or does not read. */
const NOT_READ = /(^|\/)(node_modules|dist|\.tsbuild|\.assets|\.page|test|e2e|data)\/|\.test(-d)?\.ts$|generated-assets\.ts$/;

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

interface Part {
  readonly name: string;
  readonly directory: string;
  /** Names of the parts that its build reads; those that are built themselves come first. */
  readonly needs: readonly string[];
  /** False for a part whose sources are built into others. */
  readonly hasBuild: boolean;
}

const parts = await partsOf(HOST);
const shared = await Promise.all(SHARED_FILES.map((file) => readFile(join(root, file))));
const hashes = new Map<string, string>();
let built = 0;
for (const part of parts) {
  const hash = await hashOf(part);
  hashes.set(part.name, hash);
  if (part.hasBuild && !(await isBuilt(part, hash))) {
    await build(part, hash);
    built += 1;
  }
}
if (built === 0) {
  console.log("Nothing to build.");
}
startHost();

/** A part of the workspace and all it needs, what is needed first. */
async function partsOf(name: string): Promise<Part[]> {
  const manifests = new Map<string, Manifest & { readonly directory: string }>();
  for await (const file of glob("{packages,examples}/*/package.json", { cwd: root })) {
    const manifest = JSON.parse(await readFile(join(root, file), "utf8")) as Manifest;
    manifests.set(manifest.name, { ...manifest, directory: join(root, file, "..") });
  }
  const hasBuild = (need: string) => manifests.get(need)?.scripts?.build !== undefined;
  const all = new Map<string, Part>();
  for (const { name, directory, dependencies, peerDependencies, devDependencies = {} } of manifests.values()) {
    const bundled = Object.keys(devDependencies).filter((need) => manifests.has(need) && !hasBuild(need));
    const needs = [...Object.keys({ ...dependencies, ...peerDependencies }).filter((need) => need.startsWith("@belfry/")), ...bundled];
    all.set(name, { name, directory, needs, hasBuild: hasBuild(name) });
  }
  const ordered = new Set<Part>();
  const add = (wanted: string): void => {
    const part = all.get(wanted);
    if (part === undefined) {
      throw new Error(`The workspace has no package ${wanted}.`);
    }
    for (const need of part.needs) {
      add(need);
    }
    ordered.add(part);
  };
  add(name);
  return [...ordered];
}

/** Of everything that the build of a part reads, the parts it needs included. */
async function hashOf({ directory, needs }: Part): Promise<string> {
  const hash = createHash("sha256").update(process.version);
  for (const content of shared) {
    hash.update(content);
  }
  for (const need of needs) {
    hash.update(hashes.get(need) ?? "");
  }
  const files: string[] = [];
  for await (const entry of glob("**/*", { cwd: directory, withFileTypes: true, exclude: (entry) => entry.name === "node_modules" })) {
    const file = join(entry.parentPath, entry.name).slice(directory.length + 1);
    if (entry.isFile() && !NOT_READ.test(file)) {
      files.push(file);
    }
  }
  for (const file of files.sort()) {
    hash.update(`\0${file}\0`).update(await readFile(join(directory, file)));
  }
  return hash.digest("hex");
}

/** The inputs of a part's last build, and the time its result was written. */
interface Note {
  readonly hash: string;
  readonly writtenAtMs: number;
}

function noteFile({ name }: Part): string {
  return join(root, "node_modules/.cache/belfry-start", `${name.replace("/", "-")}.json`);
}

/** When the result of a part's build was written; null if there is none. */
async function writtenAtMs({ directory }: Part): Promise<number | null> {
  const written = await stat(join(directory, "dist")).catch(() => null);
  return written?.mtimeMs ?? null;
}

/** Whether the last build read the same files, and nobody has built anything else in its place. */
async function isBuilt(part: Part, hash: string): Promise<boolean> {
  const file = noteFile(part);
  if (!existsSync(file)) {
    return false;
  }
  const note = JSON.parse(await readFile(file, "utf8")) as Note;
  return note.hash === hash && note.writtenAtMs === (await writtenAtMs(part));
}

async function build(part: Part, hash: string): Promise<void> {
  process.stdout.write(`Building ${part.name} … `);
  const started = performance.now();
  await run("pnpm", ["run", "build"], { cwd: part.directory, maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: { stdout: string; stderr: string }) => {
      console.log("failed");
      console.error(error.stdout + error.stderr);
      process.exit(1);
    },
  );
  const note: Note = { hash, writtenAtMs: (await writtenAtMs(part)) ?? 0 };
  await mkdir(dirname(noteFile(part)), { recursive: true });
  await writeFile(noteFile(part), JSON.stringify(note));
  console.log(`${((performance.now() - started) / 1_000).toFixed(1)} s`);
}

/** Runs the host until it ends, and ends as it does. */
function startHost(): void {
  const host = spawn(process.execPath, [join(root, "examples/server/dist/main.js")], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => void host.kill(signal));
  }
  host.once("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}

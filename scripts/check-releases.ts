// Rehearses a release, and is its first user: it lets the changesets make the next versions in a copy of the repository, packs the
// packages, serves them as a registry would, installs them with each package manager into a new project as the packages' READMEs say, and
// runs the quickstarts of the README there, as ES modules and as CommonJS. It publishes nothing. It needs a build, and the npm registry.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, glob, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { type LocalRegistry, serveRegistry } from "./local-registry.ts";
import { packPackages } from "./pack-packages.ts";

const run = promisify(execFile);
const root = new URL("..", import.meta.url).pathname;
/** How long a host has until it serves its first request. */
const READY_MS = 60_000;

/** What the copy needs of the repository, beside the packages. */
const COPIED = [".changeset", "package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml"];
/** What it needs of a package: what is published. */
const PUBLISHED = /^(dist|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
}

/** A package manager: how it installs what a manifest names, and how it then runs a file. */
interface PackageManager {
  readonly name: string;
  /** Where it finds packages of Belfry, by the name of the file that tells it. */
  settings(registry: string): Readonly<Record<string, string>>;
  readonly install: readonly string[];
  /** The name of one before it, which has installed the same already. */
  readonly sharesWith?: string;
  /** Runs a file with what was installed. @default `node` */
  readonly node?: readonly string[];
}

const npmrc = (registry: string) => ({ ".npmrc": `@belfry:registry=${registry}/\n` });
const yarnrc = (linker: string) => (registry: string) => ({
  ".yarnrc.yml": `nodeLinker: ${linker}\nenableTelemetry: false\nenableImmutableInstalls: false\nunsafeHttpWhitelist: ["127.0.0.1"]\nnpmScopes:\n  belfry:\n    npmRegistryServer: "${registry}"\n`,
  "yarn.lock": "",
});

const YARN = ["npx", "-y", "--package=@yarnpkg/cli-dist@4.18.1", "yarn"];
const NPM: PackageManager = { name: "npm", settings: npmrc, install: ["npm", "install", "--no-audit", "--no-fund"] };

/** Installing waits for the registry, so these go beside each other. Those of a row follow each other: they share a folder, or what npx loads. */
const MANAGERS: readonly (readonly PackageManager[])[] = [
  // The lowest that the packages ask for, in the place of the one that runs this.
  [NPM, { ...NPM, name: "npm on Node 22.14", sharesWith: NPM.name, node: ["npx", "-y", "node@22.14.0"] }],
  [
    { name: "pnpm", settings: npmrc, install: ["npx", "-y", "pnpm@12.21.0", "install"] },
    { name: "bun", settings: npmrc, install: ["npx", "-y", "bun@1.4.5", "install"] },
  ],
  [
    { name: "yarn", settings: yarnrc("node-modules"), install: [...YARN, "install"] },
    { name: "yarn without node_modules", settings: yarnrc("pnp"), install: [...YARN, "install"], node: [...YARN, "node"] },
  ],
];

/** A quickstart, and what its README says is to be installed for it. */
interface Quickstart {
  readonly name: string;
  readonly code: string;
  readonly packages: readonly string[];
}

const temporary = await mkdtemp(join(tmpdir(), "belfry-releases-"));
let failures = 0;
let registry: LocalRegistry | null = null;
try {
  const copy = await nextVersions();
  const packed = await packPackages<Manifest>(copy, temporary);
  registry = await serveRegistry(packed.map(({ tarball }) => tarball));
  console.log(
    `ok  ${packed.length} packages at their next versions: ${packed.map(({ manifest }) => `${manifest.name} ${manifest.version}`).join(", ")}`,
  );
  const quickstarts = await readQuickstarts();
  const others = await versionsTested();
  const given = { registry, quickstarts, others };
  await Promise.all(MANAGERS.map((row) => tryOutInTurn(row, given)));
} finally {
  registry?.close();
  await rm(temporary, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;

/** Copies what is published, and makes the next versions there. */
async function nextVersions(): Promise<string> {
  const copy = join(temporary, "repository");
  for (const name of COPIED) {
    await cp(join(root, name), join(copy, name), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(copy, "node_modules"));
  for (const folder of await readdir(join(root, "packages"))) {
    for (const name of (await readdir(join(root, "packages", folder))).filter((each) => PUBLISHED.test(each))) {
      await cp(join(root, "packages", folder, name), join(copy, "packages", folder, name), { recursive: true });
    }
  }
  for await (const manifest of glob("{bench,examples/*,tools/*}/package.json", { cwd: root })) {
    await cp(join(root, manifest), join(copy, manifest));
  }
  await run("node", [join(root, "node_modules/@changesets/cli/bin.js"), "version"], { cwd: copy });
  return copy;
}

/** The quickstarts of the README, with what the READMEs of their adapters say to install. */
async function readQuickstarts(): Promise<Quickstart[]> {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```/gm)].flatMap(([, code = ""]) => (code.includes('"/orders"') ? [code] : []));
  return await Promise.all(
    blocks.map(async (code) => {
      const [, adapter = ""] = /@belfry\/(adapter-\w+)/.exec(code) ?? [];
      const [, packages = ""] = /^npm install (.+)$/m.exec(await readFile(join(root, "packages", adapter, "README.md"), "utf8")) ?? [];
      return { name: adapter, code, packages: packages.split(" ") };
    }),
  );
}

/** The versions of other packages that the examples are tested with. */
async function versionsTested(): Promise<Readonly<Record<string, string>>> {
  const manifest = await readFile(join(root, "tools/docs-examples/package.json"), "utf8");
  return (JSON.parse(manifest) as { readonly devDependencies: Readonly<Record<string, string>> }).devDependencies;
}

type Given = Pick<Trial, "registry" | "quickstarts" | "others">;

/** Tries out package managers one after another, and tells of each. */
async function tryOutInTurn(managers: readonly PackageManager[], given: Given): Promise<void> {
  for (const manager of managers) {
    const directory = join(temporary, (manager.sharesWith ?? manager.name).replaceAll(" ", "-"));
    const problems = await tryOut({ manager, directory, ...given });
    failures += problems.length;
    console.log([`${problems.length === 0 ? "ok" : "NOT OK"}  ${manager.name}`, ...problems.map(indented)].join("\n"));
  }
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, "    ");
}

interface Trial {
  readonly manager: PackageManager;
  readonly directory: string;
  readonly registry: LocalRegistry;
  readonly quickstarts: readonly Quickstart[];
  readonly others: Readonly<Record<string, string>>;
}

/** Installs everything into a new project, and runs each quickstart in it. Returns what went wrong. */
async function tryOut(trial: Trial): Promise<string[]> {
  const { manager, directory, quickstarts } = trial;
  const failure = manager.sharesWith === undefined ? await installInto(trial) : null;
  if (failure !== null) {
    return [failure];
  }
  const problems: string[] = [];
  for (const { name, code } of quickstarts) {
    for (const [file, content] of [
      [`${name}.mjs`, code],
      [`${name}.cjs`, asCommonJs(code)],
    ] as const) {
      await writeFile(join(directory, file), content);
      const problem = await serves([...(manager.node ?? ["node"]), file], directory);
      problems.push(...(problem === null ? [] : [`${file}: ${problem}`]));
    }
  }
  return problems;
}

/** Installs what the quickstarts need into a new project. What went wrong, if it did. */
async function installInto({ manager, directory, registry: { url }, quickstarts, others }: Trial): Promise<string | null> {
  await mkdir(directory);
  const names = [...new Set(quickstarts.flatMap(({ packages }) => packages))];
  const dependencies = Object.fromEntries(names.map((name) => [name, name.startsWith("@belfry/") ? "latest" : (others[name] ?? "latest")]));
  const files = { "package.json": JSON.stringify({ name: "a-new-host", private: true, dependencies }), ...manager.settings(url) };
  await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(directory, name), content)));
  const output = await command(manager.install, directory);
  return output === null ? null : `${manager.install.join(" ")}:\n${output}`;
}

/** Runs a command; its output, if it fails. */
function command([program = "", ...args]: readonly string[], cwd: string): Promise<string | null> {
  return run(program, args, { cwd, maxBuffer: 64_000_000 }).then(
    () => null,
    (error: { stdout: string; stderr: string }) => `${error.stdout}${error.stderr}`,
  );
}

/** A program of ES modules as CommonJS: it requires what it imported, and waits in a function. */
function asCommonJs(code: string): string {
  const body = code
    .replaceAll(/^import (\{.+\}) from (".+");$/gm, "const $1 = require($2);")
    .replaceAll(/^import (\w+) from (".+");$/gm, "const $1 = require($2);");
  return `(async () => {\n${body}})();\n`;
}

/** Runs a quickstart, and does what the README does with it. Returns what went wrong. */
async function serves([program = "", ...args]: readonly string[], directory: string): Promise<string | null> {
  await rm(join(directory, "app.db"), { force: true });
  const port = await freePort();
  const host = spawn(program, args, { cwd: directory, env: { ...process.env, PORT: String(port) }, detached: true });
  let output = "";
  host.stdout.on("data", (chunk) => (output += chunk));
  host.stderr.on("data", (chunk) => (output += chunk));
  const exited = once(host, "exit");
  try {
    const url = `http://127.0.0.1:${port}`;
    const deadlineMs = Date.now() + READY_MS;
    while ((await fetch(`${url}/orders`, { method: "POST" }).catch(() => null))?.status !== 201) {
      if (host.exitCode !== null || Date.now() > deadlineMs) {
        return `no order could be posted:\n${output}`;
      }
      await delay(100);
    }
    const shown = await (await fetch(`${url}/api/notifications/list`)).text();
    return shown.includes("We are packing it.") ? null : `GET /api/notifications/list answers ${shown}`;
  } finally {
    if (host.exitCode === null && host.pid !== undefined) {
      // A package manager may run it in a process of its own.
      process.kill(-host.pid);
    }
    await exited;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

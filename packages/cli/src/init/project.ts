import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { wrongUsage } from "../failure.ts";

/** The frameworks that a mount can be written for. */
export const FRAMEWORKS = ["express", "hono", "next"] as const;
/** The databases that a service can be written for. */
export const DATABASES = ["sqlite", "postgres"] as const;

/** One of the frameworks. */
export type Framework = (typeof FRAMEWORKS)[number];
/** One of the databases. */
export type DatabaseKind = (typeof DATABASES)[number];
/** What installs packages. */
export type PackageManager = "npm" | "pnpm" | "yarn" | "bun";

/** What was found of an application, or said of it. */
export interface Project {
  readonly framework: Framework;
  readonly database: DatabaseKind;
  readonly language: "typescript" | "javascript";
  /** Whether its JavaScript is `import` or `require`. */
  readonly modules: "esm" | "commonjs";
  /** Whether package.json says that its JavaScript is `import`. */
  readonly isModule: boolean;
  readonly manager: PackageManager;
  /** Where its sources are, relative to the application; empty for the directory itself. */
  readonly sources: string;
  /** How a relative import of a file of its own ends. */
  readonly importEnding: string;
  /** The packages that it has. */
  readonly packages: ReadonlySet<string>;
}

/** A file to write. */
export interface NewFile {
  /** Its path, relative to the application. */
  readonly path: string;
  readonly text: string;
}

/** What is not to be detected. */
export interface Said {
  readonly framework?: Framework;
  readonly database?: DatabaseKind;
}

/** Looks at the application in a directory. */
export function detectProject(cwd: string, said: Said): Project {
  const manifest = readManifest(cwd);
  const has = (name: string) => existsSync(join(cwd, name));
  const framework = said.framework ?? FRAMEWORKS.findLast((name) => manifest.packages.has(name));
  if (framework === undefined) {
    throw wrongUsage(
      `${join(cwd, "package.json")} has none of ${FRAMEWORKS.join(", ")}. Install one of them, or say which it is to be: --framework express. ` +
        "For others, see docs/guides/frameworks.md.",
    );
  }
  const isTyped = has("tsconfig.json") || manifest.packages.has("typescript");
  const modules = manifest.isModule || framework === "next" ? "esm" : "commonjs";
  const found = { language: isTyped ? "typescript" : "javascript", modules, framework, isModule: manifest.isModule } as const;
  return {
    ...found,
    database: said.database ?? (manifest.packages.has("pg") ? "postgres" : "sqlite"),
    manager: managerOf(has, manifest.manager),
    sources: sourcesOf(has, framework),
    importEnding: importEnding(cwd, found),
    packages: manifest.packages,
  };
}

/** Whether the application in a directory is one of Next. */
export function isNextApplication(cwd: string): boolean {
  return existsSync(join(cwd, "package.json")) && readManifest(cwd).packages.has("next");
}

/** Next leaves `src` alone where its routes are beside it. */
function sourcesOf(has: (file: string) => boolean, framework: Framework): string {
  const isInSrc = ["app", "pages"].some((routes) => has(join("src", routes)));
  const isBeside = framework === "next" && !isInSrc && ["app", "pages"].some(has);
  return has("src") && !isBeside ? "src" : "";
}

interface Manifest {
  readonly packages: ReadonlySet<string>;
  readonly isModule: boolean;
  readonly manager: string;
}

function readManifest(cwd: string): Manifest {
  const file = join(cwd, "package.json");
  if (!existsSync(file)) {
    throw wrongUsage(`There is no ${file}. Run belfry init in the directory of your application.`);
  }
  const manifest = parsed(file);
  const packages = ["dependencies", "devDependencies"].flatMap((part) => Object.keys(objectOf(manifest[part])));
  const { packageManager } = manifest;
  return {
    packages: new Set(packages),
    isModule: manifest.type === "module",
    manager: typeof packageManager === "string" ? packageManager : "",
  };
}

function parsed(file: string): Readonly<Record<string, unknown>> {
  try {
    return objectOf(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw wrongUsage(`${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

const LOCK_FILES: readonly (readonly [file: string, manager: PackageManager])[] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["package-lock.json", "npm"],
];

function managerOf(has: (file: string) => boolean, named: string): PackageManager {
  const byName = LOCK_FILES.find(([, manager]) => named.startsWith(`${manager}@`));
  const byFile = LOCK_FILES.find(([file]) => has(file));
  return (byName ?? byFile)?.[1] ?? "npm";
}

function importEnding(cwd: string, { language, framework }: Pick<Project, "language" | "framework">): string {
  if (language === "javascript") {
    return ".js";
  }
  const file = join(cwd, "tsconfig.json");
  const config = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (/"(?:allowImportingTsExtensions|rewriteRelativeImportExtensions)"\s*:\s*true/.test(config)) {
    return ".ts";
  }
  const isBundled = framework === "next" || /"moduleResolution"\s*:\s*"(?:bundler|node|node10)"/i.test(config);
  return isBundled ? "" : ".js";
}

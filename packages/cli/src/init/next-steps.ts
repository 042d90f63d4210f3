import type { PackageManager, Project } from "./project.ts";

/** What is left to do by hand. */
export interface NextSteps {
  /** The command that installs what is missing. */
  readonly install: string;
  readonly next: readonly string[];
}

const ADD: Readonly<Record<PackageManager, string>> = { npm: "npm install", pnpm: "pnpm add", yarn: "yarn add", bun: "bun add" };

const STORAGE = {
  sqlite: ["@belfry/storage-sqlite", "better-sqlite3", "drizzle-orm"],
  postgres: ["@belfry/storage-postgres", "pg", "drizzle-orm"],
} as const;

/** `npx belfry` is its program; an application does not run it. */
const CLI = "@belfry/cli";

const ADAPTER = { express: ["@belfry/adapter-express"], hono: ["@belfry/adapter-hono"], next: [] } as const;

/** Says what is left to do after the files are there. */
export function nextSteps({ framework, database, manager, packages }: Omit<Project, "importEnding">): NextSteps {
  const needed = ["@belfry/core", ...STORAGE[database], ...ADAPTER[framework]];
  const missing = needed.filter((name) => !packages.has(name));
  const address = database === "sqlite" ? "DATABASE_FILE, if data/belfry.db is not where it shall be" : "DATABASE_URL";
  const installs = [
    ...(missing.length === 0 ? [] : [`${ADD[manager]} ${missing.join(" ")}`]),
    ...(packages.has(CLI) ? [] : [`${ADD[manager]} -D ${CLI}`]),
  ];
  return {
    install: installs.length === 0 ? "nothing is left to install" : installs.join(" && "),
    next: [`set JWT_SECRET, and ${address}`, ...MOUNTING[framework], "npx belfry doctor"],
  };
}

const MOUNTING = {
  express: ["in your application: app.use(belfry), and await startBelfry(server) with what app.listen returns"],
  hono: ['in your application: app.route("/", belfry), and await startBelfry(server) with what serve returns'],
  next: ['in next.config: serverExternalPackages: ["better-sqlite3", "pg"]'],
} as const;

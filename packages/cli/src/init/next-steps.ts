import type { DatabaseKind, Framework, PackageManager, Project } from "./project.ts";

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

const MOUNT = {
  express: ["@belfry/adapter-express"],
  hono: ["@belfry/adapter-hono"],
  next: ["@belfry/client", "@belfry/react"],
} as const;

const DRIVER = { sqlite: "better-sqlite3", postgres: "pg" } as const;

/** Says what is left to do after the files are there. */
export function nextSteps({ framework, database, manager, packages }: Omit<Project, "importEnding">): NextSteps {
  const needed = ["@belfry/core", ...STORAGE[database], ...MOUNT[framework]];
  const missing = needed.filter((name) => !packages.has(name));
  const address =
    database === "sqlite"
      ? "DATABASE_FILE, if data/belfry.db is not where it shall be, such as the file of your own database, whose transactions can then create notifications (docs/guides/transactions.md)"
      : "DATABASE_URL";
  const installs = [
    ...(missing.length === 0 ? [] : [`${ADD[manager]} ${missing.join(" ")}`]),
    ...(packages.has(CLI) ? [] : [`${ADD[manager]} -D ${CLI}`]),
  ];
  return {
    install: installs.length === 0 ? "nothing is left to install" : installs.join(" && "),
    next: [
      `set JWT_SECRET, or give a function of your own as auth in belfry-options (docs/guides/authentication.md); and ${address}`,
      ...mounting(framework, database),
      "npx belfry doctor",
    ],
  };
}

const BELL = "the bell: @belfry/client with @belfry/react or @belfry/element (docs/guides/react.md, docs/guides/element.md)";

function mounting(framework: Framework, database: DatabaseKind): readonly string[] {
  switch (framework) {
    case "express":
      return ["in your application: app.use(belfry), and await startBelfry(server) with what app.listen returns", BELL];
    case "hono":
      return ['in your application: app.route("/", belfry), and await startBelfry(server) with what serve returns', BELL];
    case "next":
      return [
        `in next.config: serverExternalPackages: ["${DRIVER[database]}"]`,
        "the bell: a client component with @belfry/client and @belfry/react in your layout (docs/guides/nextjs.md)",
      ];
  }
}

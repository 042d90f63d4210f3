import { join } from "node:path";
import { mountFiles } from "./mounts.ts";
import type { NewFile, Project } from "./project.ts";
import { inCommonJs, typed } from "./source-text.ts";

/** The files that set Belfry up in an application. */
export function filesFor(project: Project): readonly NewFile[] {
  const { sources, importEnding } = project;
  const ending = project.language === "typescript" ? ".ts" : ".js";
  const from = `./${sources === "" ? "" : `${sources}/`}`;
  const files = [
    { path: join(sources, `notification-types${ending}`), text: TYPES },
    { path: join(sources, `notifications${ending}`), text: serviceText(project) },
    ...mountFiles(project, ending),
    { path: `belfry.config${configEnding(project)}`, text: configText(from, importEnding) },
  ];
  return files.map(({ path, text }) => ({ path, text: inLanguage(project, text) }));
}

/** Node would guess that a module of another ending is one, and warn of it, where package.json does not say so. */
function configEnding({ language, modules, isModule }: Project): string {
  if (language === "javascript") {
    return ".js";
  }
  return modules === "esm" && !isModule ? ".mts" : ".ts";
}

function configText(from: string, importEnding: string): string {
  return `export { handler } from "${from}belfry-options${importEnding}";
export { notifications } from "${from}notifications${importEnding}";
`;
}

function inLanguage({ language, modules }: Project, text: string): string {
  if (language === "typescript") {
    return typed(text, true);
  }
  return modules === "esm" ? typed(text, false) : inCommonJs(typed(text, false));
}

const TYPES = `import { defineTypes } from "@belfry/core";

/** What your application tells its users of. With \`data\`, a schema of zod or the like, wrong data does not compile. */
export const types = defineTypes({
  welcome: { label: "Welcome", title: "Welcome", message: "Good to have you here." },
});
`;

const STORAGES = {
  sqlite: {
    import: `import { sqliteStorage } from "@belfry/storage-sqlite";`,
    make: `sqliteStorage(process.env.DATABASE_FILE ?? "data/belfry.db")`,
  },
  postgres: {
    import: `import { postgresStorage } from "@belfry/storage-postgres";`,
    make: `postgresStorage(process.env.DATABASE_URL ?? "postgres://localhost:5432/app")`,
  },
} as const;

function serviceText({ database, framework, importEnding }: Project): string {
  const { import: storageImport, make } = STORAGES[database];
  const imports = `import { NotificationService } from "@belfry/core";
${storageImport}
import { types } from "./notification-types${importEnding}";
`;
  if (framework !== "next") {
    return `${imports}
/** The one service of the process: \`notifications.create({ to: "ann", type: "welcome" })\`. */
export const notifications = new NotificationService({
  storage: ${make},
  types,
});
`;
  }
  return `${imports}
const makeService = () =>
  new NotificationService({
    storage: ${make},
    types,
  });

const kept<: typeof globalThis & { belfry?: ReturnType<typeof makeService> }> = globalThis;
kept.belfry ??= makeService();

/** The one service of the process. Next loads modules again when they change, and apart for pages and routes, so it is kept outside of them. */
export const notifications = kept.belfry;
`;
}

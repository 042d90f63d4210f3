import { resolve } from "node:path";
import { NotificationService } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import type { CommandService } from "./command-service.ts";
import { EXIT } from "./exit-codes.ts";
import { Failure, wrongUsage } from "./failure.ts";

const FORMS = "sqlite:<path> or postgres://user:password@host:5432/database";

/** The database that a URL names. */
export type DatabaseChoice = { readonly kind: "sqlite"; readonly path: string } | { readonly kind: "postgres"; readonly url: string };

/** A URL that was given, and where. */
export interface GivenUrl {
  readonly url: string;
  /** The option or variable that it is the value of. */
  readonly from: string;
  /** The directory that a path is relative to. */
  readonly cwd: string;
}

/** Reads the URL of a database. No message repeats it, because it may have a password. */
export function parseDatabaseUrl({ url, from, cwd }: GivenUrl): DatabaseChoice {
  const [, scheme = "", rest = ""] = /^([a-z]+):(.*)$/is.exec(url) ?? [];
  if (scheme === "sqlite" && rest !== "" && rest !== ":memory:") {
    return { kind: "sqlite", path: resolve(cwd, rest.replace(/^\/\/(?=.)/, "")) };
  }
  if ((scheme === "postgres" || scheme === "postgresql") && URL.canParse(url)) {
    return { kind: "postgres", url };
  }
  const got =
    scheme === ""
      ? "a text without a scheme"
      : scheme.startsWith("postgres")
        ? "no valid URL (are special characters percent-encoded?)"
        : `"${scheme}:"`;
  throw wrongUsage(`${from} is ${rest === ":memory:" ? "a database in memory, which no command can see" : got}. Give ${FORMS}.`);
}

/**
 * A service on a database alone, without the application's channels, types and retention. It delivers nothing and places no
 * large audiences: the application's own processes do, which have the types and the directory. It migrates only when it is told to.
 *
 * @param schema the PostgreSQL schema
 */
export async function databaseService(choice: DatabaseChoice, schema: string | undefined): Promise<CommandService> {
  return new NotificationService({ storage: await storageOf(choice, schema), role: "command" });
}

async function storageOf(choice: DatabaseChoice, schema: string | undefined): Promise<Storage> {
  if (choice.kind === "postgres") {
    const { postgresStorage } = await installed(() => import("@belfry/storage-postgres"), "@belfry/storage-postgres pg drizzle-orm");
    return postgresStorage(choice.url, { migrate: false, ...(schema !== undefined && { schema }) });
  }
  if (schema !== undefined) {
    throw wrongUsage("--schema is for PostgreSQL: SQLite has no schemas. Leave it out.");
  }
  const { sqliteStorage } = await installed(() => import("@belfry/storage-sqlite"), "@belfry/storage-sqlite better-sqlite3 drizzle-orm");
  return sqliteStorage(choice.path, { migrate: false });
}

async function installed<Module>(load: () => Promise<Module>, packages: string): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND")) {
      throw new Failure(EXIT.usage, `A package for this database is missing. Run: npm install ${packages}`, { cause: error });
    }
    throw error;
  }
}

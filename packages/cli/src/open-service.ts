import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { HandlerOptions } from "@belfry/core/http";
import type { CommandService } from "./command-service.ts";
import { databaseService, parseDatabaseUrl } from "./database-service.ts";
import { wrongUsage } from "./failure.ts";
import { isNextApplication } from "./init/project.ts";
import type { Io } from "./io.ts";
import { CONFIG_NAMES, findConfig, loadConfig } from "./load-config.ts";

/** Where to find the service. */
export interface ServiceOptions {
  readonly config?: string;
  readonly database?: string;
  readonly schema?: string;
}

/** A service to work with. */
export interface FoundService {
  readonly service: CommandService;
  /** How it is mounted, if its configuration says so. */
  readonly handler: HandlerOptions | null;
  /** Whether it is the application's own, with its channels, types and retention; else it stands on a database alone. */
  readonly isApplications: boolean;
}

/**
 * Finds the service: a database that was named, a configuration that was named, that of the directory, or the database of `DATABASE_URL`,
 * in this order.
 */
export async function openService(io: Io, { config, database, schema }: ServiceOptions): Promise<FoundService> {
  if (config !== undefined && database !== undefined) {
    throw wrongUsage("--config and --database name two services. Give one of them.");
  }
  if (database === undefined) {
    readVariables(io, config === undefined ? io.cwd : applicationOf(resolve(io.cwd, config)));
  }
  const path = database === undefined ? findConfig(io.cwd, config) : null;
  if (path !== null) {
    if (schema !== undefined) {
      throw wrongUsage(`--schema goes with --database: the configuration ${JSON.stringify(path)} has a storage of its own.`);
    }
    const { notifications, handler = null } = await loadConfig(path);
    return { service: notifications, handler, isApplications: true };
  }
  const url = database ?? io.env.DATABASE_URL;
  if (url === undefined || url === "") {
    throw wrongUsage(
      `There is no service to work with: ${JSON.stringify(io.cwd)} has no ${CONFIG_NAMES[0]}, and DATABASE_URL is not set. ` +
        "Run belfry init, or give --config or --database.",
    );
  }
  const choice = parseDatabaseUrl({ url, from: database === undefined ? "DATABASE_URL" : "--database", cwd: io.cwd });
  return { service: await databaseService(choice, schema), handler: null, isApplications: false };
}

/** The application that a file belongs to: the nearest directory around it that has a package.json. */
function applicationOf(file: string): string {
  const directory = dirname(file);
  return existsSync(join(directory, "package.json")) || directory === dirname(directory) ? directory : applicationOf(directory);
}

/** The files that Next reads in all its modes. What the first one says wins. */
const ENV_FILES = [".env.local", ".env"];

/** Reads the variables of an application of Next, which its process gets from Next alone. */
function readVariables({ loadEnvFile, loadNextEnv }: Io, directory: string): void {
  if (!isNextApplication(directory) || loadNextEnv(directory)) {
    return;
  }
  for (const file of ENV_FILES.map((name) => join(directory, name)).filter((path) => existsSync(path))) {
    loadEnvFile(file);
  }
}

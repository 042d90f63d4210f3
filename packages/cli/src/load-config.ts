import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { HandlerOptions } from "@belfry/core/http";
import { createJiti } from "jiti";
import type { BelfryConfig, CommandService } from "./command-service.ts";
import { EXIT } from "./exit-codes.ts";
import { Failure, wrongUsage } from "./failure.ts";

/** The names of a configuration, in the order in which they are looked for. */
export const CONFIG_NAMES = ["ts", "mts", "cts", "js", "mjs", "cjs"].map((ending) => `belfry.config.${ending}`);

/** Finds the configuration: the one that was named, or that of the directory; null for none. */
export function findConfig(cwd: string, named: string | undefined): string | null {
  if (named !== undefined) {
    const path = resolve(cwd, named);
    if (!existsSync(path)) {
      throw wrongUsage(`There is no configuration ${JSON.stringify(path)}. Check --config.`);
    }
    return path;
  }
  return CONFIG_NAMES.map((name) => resolve(cwd, name)).find((path) => existsSync(path)) ?? null;
}

/** Errors of Node that TypeScript of today is no JavaScript, or that it names a module as only compilers find it. */
const NEEDS_TRANSFORM = new Set([
  "ERR_UNKNOWN_FILE_EXTENSION",
  "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX",
  "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING",
  "ERR_UNSUPPORTED_DIR_IMPORT",
  "ERR_MODULE_NOT_FOUND",
]);

/**
 * Loads a configuration, as Node itself does: it strips types from 22.18 on. What Node cannot, such as enums and imports without an
 * ending, jiti does.
 */
export async function loadConfig(path: string): Promise<BelfryConfig> {
  return configOf(path, await importFile(path));
}

async function importFile(path: string): Promise<unknown> {
  try {
    const loaded: unknown = await import(/* @vite-ignore */ pathToFileURL(path).href);
    return loaded;
  } catch (error) {
    if (!isTransformNeeded(error)) {
      throw cannotLoad(path, error);
    }
  }
  try {
    return await createJiti(path).import(path);
  } catch (error) {
    throw cannotLoad(path, error);
  }
}

function isTransformNeeded(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return error instanceof SyntaxError || (typeof code === "string" && NEEDS_TRANSFORM.has(code));
}

function cannotLoad(path: string, error: unknown): Failure {
  const reason = error instanceof Error ? error.message : String(error);
  return new Failure(EXIT.usage, `Cannot load the configuration ${JSON.stringify(path)}: ${reason}`, { cause: error });
}

function configOf(path: string, loaded: unknown): BelfryConfig {
  const exported = isObject(loaded) ? loaded : {};
  const inner = isObject(exported.default) ? exported.default : {};
  const service = [exported.notifications, inner.notifications, exported.default].find(isService);
  if (service === undefined) {
    const names = Object.keys(exported).join(", ") || "nothing";
    throw wrongUsage(
      `The configuration ${JSON.stringify(path)} has no NotificationService: it exports ${names}. ` +
        'Write: export { notifications } from "./notifications.ts", where that is your service.',
    );
  }
  const handler = [exported.handler, inner.handler].find(isHandler);
  return { notifications: service, ...(handler !== undefined && { handler }) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Checks the shape: the application may have loaded its own copy of the core. */
function isService(value: unknown): value is CommandService {
  const methods = ["tenant", "sweep", "stop", "start"];
  return (
    isObject(value) && methods.every((name) => typeof value[name] === "function") && isObject(value.apiKeys) && isObject(value.database)
  );
}

function isHandler(value: unknown): value is HandlerOptions {
  return isObject(value) && Array.isArray(value.contracts);
}

import { createRequire } from "node:module";
import { join } from "node:path";

/** What Next reads its variables with. */
interface NextEnv {
  loadEnvConfig(directory: string, isDevelopment: boolean, log: Pick<Console, "info" | "error">): unknown;
}

/**
 * Adds the variables of an application of Next to those of this process, as the Next that it has installed reads them: as `next start` does where
 * `NODE_ENV` is `production`, else as `next dev` does. Those that are there win.
 *
 * @returns false where it has no Next installed
 */
export function loadNextEnv(directory: string, onError: (message: string) => void): boolean {
  const ofApplication = createRequire(join(directory, "package.json"));
  const next = found(ofApplication, "next/package.json");
  // Next has it among its own dependencies, where package managers may keep it from the application.
  const path = next === null ? null : found(createRequire(next), "@next/env");
  const loaded: unknown = path === null ? null : ofApplication(path);
  if (!isNextEnv(loaded)) {
    return false;
  }
  const log = { info: () => undefined, error: (...said: unknown[]) => onError(said.join(" ")) };
  loaded.loadEnvConfig(directory, process.env.NODE_ENV !== "production", log);
  return true;
}

/** The path of a module as a file would find it; null where there is none. */
function found(from: NodeJS.Require, name: string): string | null {
  try {
    return from.resolve(name);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND") {
      return null;
    }
    throw error;
  }
}

function isNextEnv(value: unknown): value is NextEnv {
  return typeof value === "object" && value !== null && "loadEnvConfig" in value && typeof value.loadEnvConfig === "function";
}

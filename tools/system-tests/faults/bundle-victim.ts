import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const conditions = ["@belfry/source", "module", "node", "production"];

/**
 * Bundles the process under test, for vitest's `globalSetup`: faults start it dozens of times, and from its many sources each
 * start takes seconds of a busy machine.
 */
export async function setup(): Promise<() => void> {
  // Each run has its own, inside the package, from which the driver of SQLite is loaded.
  const directory = fileURLToPath(new URL(`../node_modules/.chaos/${process.pid}`, import.meta.url));
  await build({
    configFile: false,
    logLevel: "error",
    ssr: { noExternal: true, external: ["better-sqlite3"], resolve: { conditions } },
    build: {
      ssr: fileURLToPath(new URL("processes/victim.ts", import.meta.url)),
      outDir: directory,
      emptyOutDir: true,
      minify: false,
      target: "node22",
      rolldownOptions: { external: ["pg-native"], output: { entryFileNames: "victim.mjs" } },
    },
  });
  process.env.CHAOS_VICTIM = `${directory}/victim.mjs`;
  return () => rmSync(directory, { recursive: true, force: true });
}

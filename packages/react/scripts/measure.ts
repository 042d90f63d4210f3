// Bundles what a browser loads first: the hooks with the client, and the inbox with its list and without the client, both without React.
// The size check reads the files.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const HOOKS = "BelfryProvider, useBelfry, useConnection, useCounts, useNotifications, usePreferences";

/** What a host imports, by the name of the bundle. */
const IMPORTS = {
  hooks: `export { ${HOOKS} } from "@belfry/react"; export { createClient } from "@belfry/client";`,
  inbox: 'export { BelfryProvider, Inbox } from "@belfry/react";',
};

await mkdir(join(root, ".assets"), { recursive: true });
for (const [name, contents] of Object.entries(IMPORTS)) {
  await build({
    stdin: { contents, resolveDir: root },
    outdir: join(root, ".assets"),
    entryNames: name,
    // The preference panel and the languages are chunks that are loaded later.
    chunkNames: `later/${name}-[hash]`,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    external: ["react", "react-dom", "react/jsx-runtime"],
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
    conditions: process.argv.includes("--sources") ? ["@belfry/source"] : [],
  });
}

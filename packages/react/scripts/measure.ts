// Bundles what a browser loads first besides React: the hooks, and the inbox with its list, each with what an import of the client brings. The
// size check reads the files.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";

const root = join(import.meta.dirname, "..");
const HOOKS = "BelfryProvider, useBelfry, useConnection, useCounts, useNotifications, usePreferences, usePush";

const CLIENT = 'export { createClient } from "@belfry/client";';

/** What a host imports, by the name of the bundle. */
const IMPORTS = {
  hooks: `export { ${HOOKS} } from "@belfry/react"; ${CLIENT}`,
  inbox: `export { BelfryProvider, Inbox } from "@belfry/react"; ${CLIENT}`,
};

/** Leaves out what is loaded later: the second part of the client, the preference panel and the languages. */
const first: Plugin = {
  name: "first",
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ kind, path }) => (kind === "dynamic-import" ? { path, external: true } : null));
  },
};

await mkdir(join(root, ".assets"), { recursive: true });
for (const [name, contents] of Object.entries(IMPORTS)) {
  await build({
    stdin: { contents, resolveDir: root },
    outfile: join(root, ".assets", `${name}.js`),
    bundle: true,
    minify: true,
    format: "esm",
    external: ["react", "react-dom", "react/jsx-runtime"],
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
    plugins: [first],
  });
}

// Bundles the page of the demo, from the packages' sources, into the directory that it is given: `build-page.ts <directory>`.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

await build({
  entryPoints: { main: fileURLToPath(new URL("../page/main.tsx", import.meta.url)) },
  outdir: process.argv[2] ?? ".page",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome110", "firefox115", "safari16.4"],
  conditions: ["@belfry/source"],
  // The packages' own style sheet, as it is before its build.
  alias: { "@belfry/react/styles.css": fileURLToPath(new URL("../../../packages/react/src/styles/index.css", import.meta.url)) },
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "none",
  charset: "utf8",
});

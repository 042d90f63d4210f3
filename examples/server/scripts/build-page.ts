// Bundles the page of the demo, from the packages' sources, into the directory that it is given: `build-page.ts <directory>`.
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";

const OPTIONS: BuildOptions = {
  outdir: process.argv[2] ?? ".page",
  bundle: true,
  minify: true,
  target: ["es2022", "chrome110", "firefox115", "safari16.4"],
  conditions: ["@belfry/source"],
  legalComments: "none",
  charset: "utf8",
};

await build({
  ...OPTIONS,
  entryPoints: { main: fileURLToPath(new URL("../page/main.tsx", import.meta.url)) },
  format: "esm",
  // The packages' own style sheet, as it is before its build.
  alias: { "@belfry/react/styles.css": fileURLToPath(new URL("../../../packages/react/src/styles/index.css", import.meta.url)) },
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
});
// The service worker is a classic script, which every browser takes.
const worker = fileURLToPath(new URL("../../../packages/client/src/push/ready-worker.ts", import.meta.url));
await build({ ...OPTIONS, entryPoints: { worker }, format: "iife" });

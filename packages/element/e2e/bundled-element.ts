import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import type { PageFiles } from "../../react/e2e/bundled-page.ts";
import { bundledStyles } from "../../react/scripts/bundled-styles.ts";

const PAGE = join(import.meta.dirname, "page/main.ts");

/** Takes the styles from their sources, as a text. */
const styles: Plugin = {
  name: "styles",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /styles\.css$/ }, ({ path }) => ({ path, namespace: "styles" }));
    onLoad({ filter: /./, namespace: "styles" }, async () => ({ contents: await bundledStyles(), loader: "text" }));
  },
};

/** The element, bundled from the sources: its files by their paths. `entry` is a host's page with it, or the package itself. */
export async function bundledElement(entry = PAGE): Promise<PageFiles> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    outdir: "/assets",
    bundle: true,
    splitting: true,
    format: "esm",
    write: false,
    jsx: "automatic",
    conditions: ["@belfry/source"],
    alias: {
      "react/jsx-runtime": fileURLToPath(import.meta.resolve("preact/jsx-runtime")),
      react: join(import.meta.dirname, "../src/react.ts"),
    },
    plugins: [styles],
  });
  return new Map(outputFiles.map(({ path, text }) => [path, { type: "text/javascript", body: text }]));
}

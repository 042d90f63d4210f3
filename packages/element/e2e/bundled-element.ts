import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { bundledStyles } from "../../react/scripts/bundled-styles.ts";

const FOLDER = join(import.meta.dirname, "page");
const preact = (path: string) => fileURLToPath(import.meta.resolve(path));

/** Takes the styles from their sources, as a text. */
const styles: Plugin = {
  name: "styles",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /styles\.css$/ }, ({ path }) => ({ path, namespace: "styles" }));
    onLoad({ filter: /./, namespace: "styles" }, async () => ({ contents: await bundledStyles(), loader: "text" }));
  },
};

/** A host's page with the element, bundled from the sources: its files by their paths. */
export async function bundledElement(): Promise<ReadonlyMap<string, { readonly type: string; readonly body: string }>> {
  const { outputFiles } = await build({
    entryPoints: [join(FOLDER, "main.ts")],
    outdir: "/assets",
    bundle: true,
    splitting: true,
    format: "esm",
    write: false,
    jsx: "automatic",
    conditions: ["@belfry/source"],
    alias: { "react/jsx-runtime": preact("preact/jsx-runtime"), "react-dom": preact("preact/compat"), react: preact("preact/compat") },
    plugins: [styles],
  });
  return new Map(outputFiles.map(({ path, text }) => [path, { type: "text/javascript", body: text }]));
}

import { join } from "node:path";
import { build } from "esbuild";
import { bundledStyles } from "../scripts/bundled-styles.ts";

const FOLDER = join(import.meta.dirname, "page");

/** A host's page with the inbox, bundled from the sources: its files by their paths. */
export async function bundledPage(): Promise<ReadonlyMap<string, { readonly type: string; readonly body: string }>> {
  const { outputFiles } = await build({
    entryPoints: [join(FOLDER, "main.tsx"), join(FOLDER, "page.css")],
    outdir: "/assets",
    bundle: true,
    splitting: true,
    format: "esm",
    write: false,
    jsx: "automatic",
    conditions: ["@belfry/source"],
    define: { "process.env.NODE_ENV": '"development"' },
  });
  const files = new Map(
    outputFiles.map(({ path, text }) => [path, { type: path.endsWith(".css") ? "text/css" : "text/javascript", body: text }] as const),
  );
  return files.set("/assets/inbox.css", { type: "text/css", body: await bundledStyles() });
}

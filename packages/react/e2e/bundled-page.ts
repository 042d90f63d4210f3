import { join } from "node:path";
import { build } from "esbuild";
import { bundledStyles } from "../scripts/bundled-styles.ts";

const FOLDER = join(import.meta.dirname, "page");

/** The files of a page by their paths. */
export type PageFiles = ReadonlyMap<string, { readonly type: string; readonly body: string }>;

/** A host's page with the inbox, bundled from the sources: for development, in which React checks everything twice, or as readers get it. */
export async function bundledPage(mode: "development" | "production" = "development"): Promise<PageFiles> {
  const { outputFiles } = await build({
    entryPoints: [join(FOLDER, "main.tsx"), join(FOLDER, "page.css")],
    outdir: "/assets",
    bundle: true,
    splitting: true,
    format: "esm",
    write: false,
    jsx: "automatic",
    conditions: ["@belfry/source"],
    minifySyntax: mode === "production",
    define: { "process.env.NODE_ENV": JSON.stringify(mode) },
  });
  const files = new Map(
    outputFiles.map(({ path, text }) => [path, { type: path.endsWith(".css") ? "text/css" : "text/javascript", body: text }] as const),
  );
  return files.set("/assets/inbox.css", { type: "text/css", body: await bundledStyles() });
}

import { join } from "node:path";
import { build } from "esbuild";

/** The styles of the inbox as one minified file, in a layer that rules of hosts win over. */
export async function bundledStyles(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "../src/styles/index.css")],
    bundle: true,
    minify: true,
    write: false,
    // Newer rules stay as they are: esbuild would replace logical properties for older browsers.
    target: ["chrome125", "firefox128", "safari17.5"],
  });
  return `@layer belfry{${(outputFiles[0]?.text ?? "").trim()}}`;
}

// Bundles the page and writes it into src/generated-assets.ts, so that hosts serve it from memory, bundled or not.
// It runs at install, before every build, and in the tests; it changes nothing when the page has not changed.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Bundles the page into everything it loads: one script, one style sheet, one icon. */
async function bundle(): Promise<ReadonlyMap<string, Buffer>> {
  const { outputFiles } = await build({
    entryPoints: { app: join(root, "page/main.tsx") },
    outdir: root,
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome110", "firefox115", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    charset: "utf8",
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [path.endsWith(".css") ? "style.css" : "app.js", Buffer.from(contents)]));
  return files.set("icon.svg", await readFile(join(root, "page/icon.svg")));
}

function hashed(name: string, contents: Buffer): string {
  const hash = createHash("sha256").update(contents).digest("hex").slice(0, 12);
  return name.replace(".", `-${hash}.`);
}

function moduleOf(files: ReadonlyMap<string, Buffer>): string {
  const lines = [...files].map(([name, contents]) => {
    const gzip = gzipSync(contents, { level: 9 }).toString("base64");
    return `  ${JSON.stringify(name)}: { name: ${JSON.stringify(hashed(name, contents))}, gzip: ${JSON.stringify(gzip)} },\n`;
  });
  return `// Written by scripts/build-assets.ts.\nexport const ASSETS = {\n${lines.join("")}} as const;\n`;
}

/** Writes a file unless it has these contents already, so that watchers do not wake for nothing. */
async function writeIfChanged(path: string, contents: string | Buffer): Promise<void> {
  const present = await readFile(path).catch(() => null);
  if (present === null || !present.equals(Buffer.from(contents))) {
    // A reader sees the old file or the new one meanwhile, never a part.
    const whole = `${path}.${process.pid}`;
    await writeFile(whole, contents);
    await rename(whole, path);
  }
}

const files = await bundle();
await writeIfChanged(join(root, "src/generated-assets.ts"), moduleOf(files));
// The files that a browser loads first, for the size check.
const loaded = join(root, ".assets");
await mkdir(loaded, { recursive: true });
await Promise.all([...files].map(([name, contents]) => writeIfChanged(join(loaded, name), contents)));

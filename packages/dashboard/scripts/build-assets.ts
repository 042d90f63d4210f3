// Bundles the page and writes it into src/generated-assets.ts, so that hosts serve it from memory, bundled or not.
// It runs at install, before every build, and in the tests; it changes nothing when the page has not changed.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The page's files by name, those of views that load when they are opened among them; and the parts that the script begins with. */
interface Bundle {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly preloaded: readonly string[];
}

/** Bundles the page: the script with the parts that views share, a script for each view that loads when it is opened, one style sheet, one icon. */
async function bundle(): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: { app: join(root, "page/main.tsx") },
    outdir: root,
    bundle: true,
    splitting: true,
    chunkNames: "[name]-[hash]",
    write: false,
    metafile: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome110", "firefox115", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    charset: "utf8",
  });
  const files = new Map<string, Buffer>();
  for (const { path, contents, text } of outputFiles) {
    const isStyle = path.endsWith(".css");
    files.set(isStyle ? "style.css" : basename(path), isStyle ? Buffer.from(contents) : Buffer.from(byQuery(text)));
  }
  files.set("icon.svg", await readFile(join(root, "page/icon.svg")));
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  const preloaded = new Set<string>();
  const follow = (name: string) => {
    for (const { path, kind } of outputs.get(name)?.imports ?? []) {
      if (kind === "import-statement" && !preloaded.has(basename(path))) {
        preloaded.add(basename(path));
        follow(basename(path));
      }
    }
  };
  follow("app.js");
  return { files, preloaded: [...preloaded] };
}

/**
 * Has a script import its parts as the page serves them: by the query of its own address, wherever the page is mounted. An import statement takes
 * no address that begins with a query, so each becomes an awaited import.
 */
function byQuery(script: string): string {
  const address = (name: string) => `import(new URL("?asset=${name}",import.meta.url).href)`;
  return script
    .replaceAll(/\bimport\("\.\/([\w.-]+)"\)/g, (_, name: string) => address(name))
    .replaceAll(/\bimport(?:\{([^}]*)\}from)?"\.\/([\w.-]+)";/g, (_, names: string | undefined, name: string) =>
      names === undefined ? `await ${address(name)};` : `const{${names.replaceAll(" as ", ":")}}=await ${address(name)};`,
    );
}

/** The name under which a file is served: it changes with the contents. Parts have such names already. */
function served(name: string, contents: Buffer): string {
  if (!["app.js", "style.css", "icon.svg"].includes(name)) {
    return name;
  }
  const hash = createHash("sha256").update(contents).digest("hex").slice(0, 12);
  return name.replace(".", `-${hash}.`);
}

function moduleOf({ files, preloaded }: Bundle): string {
  const lines = [...files].map(([name, contents]) => {
    const gzip = gzipSync(contents, { level: 9 }).toString("base64");
    return `  ${JSON.stringify(name)}: { name: ${JSON.stringify(served(name, contents))}, gzip: ${JSON.stringify(gzip)} },\n`;
  });
  return `// Written by scripts/build-assets.ts.
export const ASSETS = {\n${lines.join("")}} as const;
/** The parts that the script begins with. */
export const PRELOADED: readonly (keyof typeof ASSETS)[] = ${JSON.stringify(preloaded)};
`;
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

const made = await bundle();
await writeIfChanged(join(root, "src/generated-assets.ts"), moduleOf(made));
// The files that a browser loads first, for the size check.
const first = new Map([...made.files].filter(([name]) => made.preloaded.includes(name) || served(name, Buffer.of()) !== name));
const loaded = join(root, ".assets");
await mkdir(loaded, { recursive: true });
await Promise.all([...first].map(([name, contents]) => writeIfChanged(join(loaded, name), contents)));
await Promise.all((await readdir(loaded)).filter((name) => !first.has(name)).map((name) => rm(join(loaded, name), { force: true })));

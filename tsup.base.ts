import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { defineConfig, type Options } from "tsup";

/** The build every published package shares: ESM, CJS and declarations from the named entry points. */
export function packageBuild(entry: Record<string, string>, more: Options = {}) {
  // The declarations that `tsc -b` wrote are bundled: that is much faster than to make them from the sources again.
  const declarations = Object.entries(entry).map(([name, file]) => [name, file.replace(/^src(.*)\.ts$/, ".tsbuild$1.d.ts")]);
  return defineConfig({
    entry,
    format: ["esm", "cjs"],
    dts: {
      entry: Object.fromEntries(declarations),
      compilerOptions: { composite: false, incremental: false, ignoreDeprecations: "6.0", customConditions: [] },
    },
    // `import.meta.url` and `__dirname` work in both formats.
    shims: true,
    // Hosts on runtimes without bare built-ins need the `node:` prefix kept.
    removeNodeProtocol: false,
    clean: true,
    sourcemap: true,
    target: "es2024",
    ...more,
  });
}

/**
 * Several builds of a package. Their folder is emptied before all of them: tsup runs them side by side, and one that empties it may take
 * away what another has written by then.
 */
export function packageBuilds(...builds: readonly ReturnType<typeof packageBuild>[]) {
  rmSync(join(process.cwd(), "dist"), { recursive: true, force: true });
  return builds.map((build) => ({ ...build, clean: false }));
}

/**
 * Has esbuild write what a page loads first into one file. Of what files that are loaded later share with the first one it would make a file
 * of its own, and two files compress worse than one. So each of the later ones is made to share the whole of it.
 *
 * @param entry the entry point, from the package's folder
 */
export function firstInOneFile(entry: string): Plugin {
  const later = new Set<string>();
  return {
    name: "first-in-one-file",
    setup({ initialOptions, onLoad, onResolve, resolve }) {
      if (initialOptions.splitting !== true) {
        return;
      }
      onResolve({ filter: /./ }, async ({ kind, path, pluginData, ...more }) => {
        if (kind !== "dynamic-import" || pluginData === later) {
          return null;
        }
        const resolved = await resolve(path, { ...more, kind, pluginData: later });
        later.add(resolved.path);
        return resolved;
      });
      onLoad({ filter: /\.[jt]sx?$/ }, async ({ path }) => {
        if (!later.has(path)) {
          return null;
        }
        const whole = `export * from ${JSON.stringify(join(process.cwd(), entry))};`;
        return { contents: `${await readFile(path, "utf8")}\n${whole}`, loader: path.endsWith("x") ? "tsx" : "ts" };
      });
    },
  };
}

/** Has bundlers of hosts leave `import(….href)` to the browser. The comments that say so get lost when code is minified. */
export const addressesLeftAlone: NonNullable<Options["plugins"]>[number] = {
  name: "addresses-left-alone",
  renderChunk: (code, { map }) => ({
    code: code.replace(/\bimport\((\w+\.href)\)/g, "import(/*webpackIgnore:true*//*@vite-ignore*/$1)"),
    map: map ?? null,
  }),
};

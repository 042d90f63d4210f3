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

import { join } from "node:path";
import type { Options } from "tsup";
import { addressesLeftAlone, firstInOneFile, packageBuild, packageBuilds } from "../../tsup.base.ts";

const ENTRY = { index: "src/index.ts" };
const OPTIONS: Options = {
  minify: true,
  shims: false,
  target: "es2022",
  noExternal: [/./],
  loader: { ".css": "text" },
  plugins: [addressesLeftAlone],
  esbuildOptions(options) {
    // From the sources, what is loaded later is apart from what is loaded first.
    options.conditions = ["@belfry/source"];
    options.alias = { "react/jsx-runtime": "preact/jsx-runtime", react: join(import.meta.dirname, "src/react.ts") };
    options.define = { ...options.define, "process.env.NODE_ENV": '"production"' };
  },
};

export default packageBuilds(
  // Pages without a bundler load it as it is, with languages, the preference panel and the second part of the client in files beside it.
  packageBuild(ENTRY, { ...OPTIONS, format: ["esm"], splitting: true, esbuildPlugins: [firstInOneFile(ENTRY.index)] }),
  // tsup cannot split minified CommonJS: what it writes then is no JavaScript.
  packageBuild(ENTRY, { ...OPTIONS, format: ["cjs"], splitting: false }),
);

import type { Options } from "tsup";
import { packageBuild } from "../../tsup.base.ts";

const ENTRY = { index: "src/index.ts" };
const OPTIONS: Options = {
  minify: true,
  shims: false,
  target: "es2022",
  noExternal: [/./],
  loader: { ".css": "text" },
  esbuildOptions(options) {
    options.alias = { "react/jsx-runtime": "preact/jsx-runtime", "react-dom": "preact/compat", react: "preact/compat" };
    options.define = { ...options.define, "process.env.NODE_ENV": '"production"' };
  },
};

export default [
  // Pages without a bundler load it as it is, with languages and the preference panel in files beside it.
  packageBuild(ENTRY, { ...OPTIONS, format: ["esm"], splitting: true }),
  // tsup cannot split minified CommonJS: what it writes then is no JavaScript.
  packageBuild(ENTRY, { ...OPTIONS, format: ["cjs"], splitting: false, clean: false }),
];

import { packageBuild } from "../../tsup.base.ts";

export default packageBuild(
  { index: "src/index.ts" },
  {
    // Pages without a bundler load it as it is, with languages and the preference panel in files beside it.
    splitting: true,
    minify: true,
    shims: false,
    target: "es2022",
    noExternal: [/./],
    loader: { ".css": "text" },
    esbuildOptions(options) {
      options.alias = { "react/jsx-runtime": "preact/jsx-runtime", "react-dom": "preact/compat", react: "preact/compat" };
      options.define = { ...options.define, "process.env.NODE_ENV": '"production"' };
    },
  },
);

import { addressesLeftAlone, firstInOneFile, packageBuild } from "../../tsup.base.ts";

const ENTRY = { index: "src/index.ts" };

// Browsers load it as it is: it is small, and imports nothing of Node's.
export default packageBuild(ENTRY, {
  ...{ shims: false, minify: true },
  esbuildPlugins: [firstInOneFile(ENTRY.index)],
  plugins: [addressesLeftAlone],
});

import { packageBuild } from "../../tsup.base.ts";

// Browsers load it as it is: it is small, and imports nothing of Node's.
export default packageBuild({ index: "src/index.ts" }, { shims: false, minify: true });

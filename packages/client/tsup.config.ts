import { packageBuild } from "../../tsup.base.ts";

export default packageBuild({ index: "src/index.ts" }, { format: ["esm"], shims: false, minify: true });

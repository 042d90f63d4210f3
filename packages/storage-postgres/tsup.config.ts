import { packageBuild } from "../../tsup.base.ts";

export default packageBuild({ index: "src/index.ts", schema: "src/schema.ts" });

import { packageBuild } from "../../tsup.base.ts";

export default packageBuild({
  index: "src/index.ts",
  storage: "src/storage.ts",
  http: "src/http/index.ts",
  contracts: "src/contracts/index.ts",
  auth: "src/http/auth/index.ts",
  node: "src/node/index.ts",
});

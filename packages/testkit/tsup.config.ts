import { packageBuild } from "../../tsup.base.ts";

export default packageBuild({ index: "src/index.ts", host: "src/host/index.ts", push: "src/push/index.ts", mail: "src/mail/index.ts" });

export { fromNodeRequest, type RequestPlace } from "./http-request.ts";
export { type NodeBelfry, nodeBelfry } from "./node-belfry.ts";
export { type Mounted, mounted, type UpgradeListener, upgradeListener } from "./upgrade.ts";
export { writeResponse } from "./write-response.ts";

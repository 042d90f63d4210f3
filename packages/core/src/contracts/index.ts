export { deliveryV1 } from "./delivery-v1/index.ts";
export { django } from "./django/index.ts";
export { type HubContractOptions, hub } from "./hub/index.ts";
export { inboxV1 } from "./inbox-v1/index.ts";
export { type PackOptions, pack } from "./pack.ts";

export { django } from "./django/index.ts";
export { inboxV1 } from "./inbox-v1/index.ts";
export { type PackOptions, pack } from "./pack.ts";

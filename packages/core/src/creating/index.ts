export { FanOut } from "./fan-out.ts";
export { type CreateRules, HOST_RULES } from "./parse-create.ts";
export {
  type CallOptions,
  type CallOptionsOf,
  type PreparedNotification,
  refuseSynchronous,
  type SynchronousCallOptions,
  txOf,
} from "./transactional.ts";
export { createNotification, createTracked, prepareNotification, type VerbContext } from "./verb.ts";

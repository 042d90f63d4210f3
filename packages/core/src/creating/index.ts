export type { CreatingContext } from "./context.ts";
export { create } from "./create.ts";
export { FanOut } from "./fan-out.ts";
export { HOST_RULES, parseCreate } from "./parse-create.ts";
export {
  type CallOptions,
  type CallOptionsOf,
  type PreparedNotification,
  type PreparedSend,
  prepared,
  preparedSend,
  refuseSynchronous,
  type SynchronousCallOptions,
  txOf,
} from "./transactional.ts";

export type {
  CallOptions,
  CallOptionsOf,
  PreparedNotification,
  SynchronousCallOptions,
} from "../creating/index.ts";

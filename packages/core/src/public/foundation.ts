export {
  type Clock,
  systemClock,
} from "../foundation/clock.ts";
export {
  DEFAULT_TENANT,
  type FeedSubscription,
  type Owner,
} from "../foundation/context.ts";
export {
  BelfryError,
  type BelfryErrorCode,
  type BelfryErrorOptions,
  HTTP_STATUS,
  type Issue,
} from "../foundation/errors.ts";
export type { MetadataFilter } from "../foundation/filter.ts";
export {
  type Ids,
  isUuid,
  uuidV7,
} from "../foundation/ids.ts";
export {
  requireOptions,
  validationError,
} from "../foundation/issue-list.ts";
export type {
  JsonObject,
  JsonValue,
} from "../foundation/json.ts";
export {
  consoleLogger,
  type Logger,
} from "../foundation/logger.ts";
export type { MaybePromise } from "../foundation/maybe-promise.ts";
export type { TracedEnd, TracedFacts, TracedWork, Tracing } from "../foundation/tracing.ts";

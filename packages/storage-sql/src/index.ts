export { broadcastOf, ENDED_COLUMNS, endedColumns, keepEnded } from "./audiences/broadcast-state.ts";
export { sharedBroadcasts } from "./audiences/broadcasts.ts";
export { deletedSince, usersByHash, withoutDeleted } from "./audiences/deleted-users.ts";
export { devicesStorage } from "./audiences/devices.ts";
export { exceptText } from "./audiences/leave-broadcasts.ts";
export { collected, lookedAt } from "./audiences/looked-at.ts";
export { FIRST_PAGE, pageCursor, partsOfPage, placeAfter } from "./audiences/page-broadcasts.ts";
export { topicsOf } from "./audiences/topic-audiences.ts";
export { sharedTopics } from "./audiences/topics.ts";
export type { EveryColumnMade } from "./database/every-column-made.ts";
export { type Column, type Fields, fieldsOf, haveSame, nullableOf, type TableOf } from "./database/fields.ts";
export { checkOptions, type OptionChecks, SWITCH } from "./database/options.ts";
export type { Asked, Dialect, PageParts, RowOf, Schema, Sql, StoredAttempt, StoredDelivery, Tables, Tracking } from "./database/sql.ts";
export { LOOKED_AT, type LookedAt, newestBefore, sweepStep } from "./database/sweep-step.ts";
export { decisionsStorage } from "./decisions/preferences.ts";
export {
  askThrottles,
  type ThrottleKey,
  type ThrottleRow,
  throttleKeysOf,
  throttleStatements,
  throttlesToLock,
} from "./decisions/throttles.ts";
export {
  type ClaimedRow,
  type ContentColumns,
  claimedColumns,
  claimedKeys,
  contentOf,
  hasNoContent,
  isOnlyDelivery,
  leaseClaimed,
  toClaimed,
} from "./delivery/claimed-rows.ts";
export {
  type ClaimedDigestRow,
  digestColumns,
  digestStorage,
  placeOf,
  reopened,
  toClaimedDigest,
  toDigestRow,
} from "./delivery/digests.ts";
export {
  audienceInParts,
  entryOfSend,
  findingFanOuts,
  type ListPart,
  newChains,
  PLACE_OF_OTHERS,
  UPDATED_AT_ONCE,
  usersInParts,
} from "./delivery/fan-out-parts.ts";
export { holdsStorage } from "./delivery/holds.ts";
export { FAILED_STEP, LATENCY_STEPS, latencyStep } from "./delivery/latency-steps.ts";
export { sendReads } from "./delivery/read-sends.ts";
export { reconsidering } from "./delivery/reconsider.ts";
export {
  type ClaimedContent,
  type ContentRow,
  type DeliveryRow,
  deliveryRecords,
  leasedIf,
  loadedOf,
  NAMED,
  newTracking,
  PLANNED,
  progressOf,
  type SendRow,
  type TrackingRow,
  toDelivery,
} from "./delivery/rows.ts";
export { splittingByDevice } from "./delivery/split-by-device.ts";
export { stateOf } from "./delivery/state.ts";
export { FOLDED, FOLDED_LOST, isOfLost, LOST_WRITERS } from "./delivery/sum-writers.ts";
export { suppressingTexts, suppressingValues, suppressionsStorage } from "./delivery/suppressions.ts";
export { takingAddresses } from "./delivery/take-addresses.ts";
export { promptDigest } from "./hub/prompts.ts";
export {
  type ClaimedRecordRow,
  hubRows,
  type IdentifiedEventRow,
  newRecords,
  type RecordRow,
  toClaimedRecord,
  toEndedRecord,
  toIdentifiedEvent,
  toRecord,
  toSourceRecord,
} from "./hub/rows.ts";
export { sharedHub } from "./hub/shared-hub.ts";
export { BLOCK_LENGTH, COUNTED_FROM, PART_MS, WALKED_PART } from "./inbox/block-sizes.ts";
export {
  type BlockCount,
  type CountedAt,
  CountedList,
  type PageSpans,
  type SeqSpan,
  spanOf,
} from "./inbox/counted-list.ts";
export {
  type ChangedItems,
  CountedLists,
  type CountedReason,
  canFollow,
  changedBlocks,
  changedColumns,
  changesText,
  countedFor,
  isByBlocks,
  isSameMoment,
} from "./inbox/counted-lists.ts";
export { firstActors, type Grouped, isGrouped, MOST_ACTORS, shownActors, WOKEN_AT_ONCE, withAlso } from "./inbox/grouped.ts";
export { type KeyedStep, type KeyNote, keyedChange, keyNote, requireOwnKey, stepOfMark, stepOfMatching } from "./inbox/keyed-line.ts";
export { isOfAllRead, KNOWS_REMOVED } from "./inbox/remove-covered.ts";
export { LOOKED_AT_BESIDE, REMOVED_AT_LEAST } from "./inbox/removed-sizes.ts";
export { KEPT_UNUSED_MS, sharedInbox } from "./inbox/shared-inbox.ts";
export { isUsual } from "./inbox/usual.ts";
export { alarmStorage } from "./operator/alarms.ts";
export { auditLog } from "./operator/audit.ts";
export { backlogSamples, type CountAllWaiting, type TenantWaiting } from "./operator/backlog-samples.ts";
export { findingDeletions } from "./operator/being-deleted.ts";
export { type ChannelWaiting, type CountWaiting, channelHealth } from "./operator/channel-health.ts";
export { deliveryLists } from "./operator/deliveries.ts";
export { failingDeliveries } from "./operator/failing.ts";
export { heartbeats } from "./operator/heartbeats.ts";
export { lookingUp, type SqlFilter, type SqlSearch } from "./operator/look-ups.ts";
export { retryRunStorage } from "./operator/retry-runs.ts";
export {
  type ConditionName,
  type Conditions,
  conditionsOf,
  isCut,
  isOfWalk,
  MAX_GATHERED,
  type SearchText,
  searchText,
  suitableWays,
  type WayName,
} from "./operator/search.ts";
export { findActivity, type SummaryRow, summaryColumns, toSummary } from "./operator/summaries.ts";
export { workHealthReads } from "./operator/work-health.ts";
export { type ColumnSpec, columnName, type Kind, tableName, typed } from "./schema/columns.ts";
export { POSTGRES_TABLES, TABLES } from "./schema/tables.ts";
export { apiKeyStorage } from "./service/api-keys.ts";
export { socketTicketStorage } from "./service/socket-tickets.ts";

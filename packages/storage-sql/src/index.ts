export { type Fields, fieldsOf, type TableOf, written } from "./database/fields.ts";
export type { Dialect, PageParts, RowOf, Schema, Sql, Tables } from "./database/sql.ts";
export {
  type HubColumns,
  hubColumns,
  type IdentifiedEventRow,
  joinIdentity,
  type RecordRow,
  toIdentifiedEvent,
  toRecord,
  toSourceRecord,
} from "./hub/rows.ts";
export { sharedHub } from "./hub/shared-hub.ts";
export { auditLog } from "./operator/audit.ts";
export { apiKeyStorage } from "./service/api-keys.ts";

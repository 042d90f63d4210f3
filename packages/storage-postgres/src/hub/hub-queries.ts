import type { TableNames } from "../database/table-names.ts";
import { prepareAcknowledgeEvent } from "./acknowledge-event.ts";
import { prepareClaimRecords, prepareNextRecordDue, prepareRecordsLeasedTo, prepareRenewRecords } from "./claim-records.ts";
import { prepareEndRecords, prepareTakeBackRecords } from "./end-records.ts";
import { prepareCreateHandler, prepareDeleteHandler, prepareFindHandler, prepareListHandlers, prepareUpdateHandler } from "./handlers.ts";
import { prepareFindIdentity, prepareFindIdentityBySource, prepareListIdentities, prepareUpsertIdentity } from "./identities.ts";
import { prepareFindEvents, prepareListEvents, prepareListEventsSince } from "./read-events.ts";
import { prepareFindRecords, prepareListSettledSince, prepareRecordsOf } from "./read-records.ts";
import { prepareWriteEvents } from "./write-events.ts";

/** Every operation of the hub over the given tables. */
export type HubQueries = ReturnType<typeof prepareHubQueries>;

/** Makes the statements of all operations; connections prepare them when they first run them. */
export function prepareHubQueries(tables: TableNames) {
  return {
    acknowledgeEvent: prepareAcknowledgeEvent(tables),
    claimRecords: prepareClaimRecords(tables),
    createHandler: prepareCreateHandler(tables),
    deleteHandler: prepareDeleteHandler(tables),
    endRecords: prepareEndRecords(tables),
    findEvents: prepareFindEvents(tables),
    findHandler: prepareFindHandler(tables),
    findIdentity: prepareFindIdentity(tables),
    findIdentityBySource: prepareFindIdentityBySource(tables),
    findRecords: prepareFindRecords(tables),
    listEvents: prepareListEvents(tables),
    listEventsSince: prepareListEventsSince(tables),
    listHandlers: prepareListHandlers(tables),
    listIdentities: prepareListIdentities(tables),
    listSettledSince: prepareListSettledSince(tables),
    nextRecordDue: prepareNextRecordDue(tables),
    recordsLeasedTo: prepareRecordsLeasedTo(tables),
    recordsOf: prepareRecordsOf(tables),
    renewRecords: prepareRenewRecords(tables),
    takeBackRecords: prepareTakeBackRecords(tables),
    updateHandler: prepareUpdateHandler(tables),
    upsertIdentity: prepareUpsertIdentity(tables),
    writeEvents: prepareWriteEvents(tables),
  };
}

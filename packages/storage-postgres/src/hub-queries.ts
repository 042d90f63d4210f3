import { prepareAcknowledgeEvent } from "./queries/hub/acknowledge-event.ts";
import { prepareClaimRecords, prepareNextRecordDue, prepareRecordsLeasedTo, prepareRenewRecords } from "./queries/hub/claim-records.ts";
import { prepareEndRecords, prepareTakeBackRecords } from "./queries/hub/end-records.ts";
import {
  prepareCreateHandler,
  prepareDeleteHandler,
  prepareFindHandler,
  prepareListHandlers,
  prepareUpdateHandler,
} from "./queries/hub/handlers.ts";
import {
  prepareFindIdentity,
  prepareFindIdentityBySource,
  prepareListIdentities,
  prepareUpsertIdentity,
} from "./queries/hub/identities.ts";
import { prepareFindEvents, prepareListEvents, prepareListEventsSince } from "./queries/hub/read-events.ts";
import { prepareFindRecords, prepareListSettledSince, prepareRecordsOf } from "./queries/hub/read-records.ts";
import { prepareWriteEvents } from "./queries/hub/write-events.ts";
import type { TableNames } from "./table-names.ts";

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

import type { Database } from "better-sqlite3";
import { queryContext } from "../database/query-context.ts";
import { prepareAcknowledgeEvent } from "./acknowledge-event.ts";
import { prepareClaimRecords, prepareNextRecordDue, prepareRecordsLeasedTo, prepareRenewRecords } from "./claim-records.ts";
import { prepareHasDueRecord } from "./due-records.ts";
import { prepareEndRecords, prepareLostLeases, prepareTakeBackRecords } from "./end-records.ts";
import { prepareCreateHandler, prepareDeleteHandler, prepareFindHandler, prepareListHandlers, prepareUpdateHandler } from "./handlers.ts";
import { prepareFindIdentity, prepareFindIdentityBySource, prepareListIdentities, prepareUpsertIdentity } from "./identities.ts";
import { prepareFindEvents, prepareListEvents, prepareListEventsSince } from "./read-events.ts";
import { prepareFindRecords, prepareListSettledSince, prepareRecordsOf } from "./read-records.ts";
import { prepareWriteEvents } from "./write-events.ts";

/** Every operation of the hub, prepared for one connection. They are synchronous, and open no transaction. */
export type HubQueries = ReturnType<typeof prepareHubQueries>;

/** Prepares every operation of the hub for `database`, whose tables must exist. */
export function prepareHubQueries(database: Database) {
  const context = queryContext(database);
  return {
    acknowledgeEvent: prepareAcknowledgeEvent(context),
    claimRecords: prepareClaimRecords(context),
    createHandler: prepareCreateHandler(context),
    deleteHandler: prepareDeleteHandler(context),
    endRecords: prepareEndRecords(context),
    findEvents: prepareFindEvents(context),
    findHandler: prepareFindHandler(context),
    findIdentity: prepareFindIdentity(context),
    findIdentityBySource: prepareFindIdentityBySource(context),
    findRecords: prepareFindRecords(context),
    hasDueRecord: prepareHasDueRecord(context),
    listEvents: prepareListEvents(context),
    listEventsSince: prepareListEventsSince(context),
    listHandlers: prepareListHandlers(context),
    listIdentities: prepareListIdentities(context),
    listSettledSince: prepareListSettledSince(context),
    lostLeases: prepareLostLeases(context),
    nextRecordDue: prepareNextRecordDue(context),
    recordsLeasedTo: prepareRecordsLeasedTo(context),
    recordsOf: prepareRecordsOf(context),
    renewRecords: prepareRenewRecords(context),
    takeBackRecords: prepareTakeBackRecords(context),
    updateHandler: prepareUpdateHandler(context),
    upsertIdentity: prepareUpsertIdentity(context),
    writeEvents: prepareWriteEvents(context),
  };
}

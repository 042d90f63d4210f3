import type { Database } from "better-sqlite3";
import { prepareAcknowledgeEvent } from "./queries/hub/acknowledge-event.ts";
import { prepareClaimRecords, prepareNextRecordDue, prepareRecordsLeasedTo, prepareRenewRecords } from "./queries/hub/claim-records.ts";
import { prepareHasDueRecord } from "./queries/hub/due-records.ts";
import { prepareEndRecords, prepareLostLeases, prepareTakeBackRecords } from "./queries/hub/end-records.ts";
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
import { queryContext } from "./query-context.ts";

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

import type { HubStorage } from "@belfry/core/storage";
import { bind, query, read, write } from "../database/bind.ts";
import type { Connection } from "../database/connection.ts";
import { leases } from "../database/leases.ts";
import { prepareAcknowledgeEvent } from "./acknowledge-event.ts";
import { prepareEndRecords } from "./end-records.ts";
import { prepareCreateHandler, prepareDeleteHandler, prepareFindHandler, prepareListHandlers, prepareUpdateHandler } from "./handlers.ts";
import { prepareFindIdentity, prepareFindIdentityBySource, prepareListIdentities, prepareUpsertIdentity } from "./identities.ts";
import { prepareFindEvents, prepareListEvents, prepareListEventsSince } from "./read-events.ts";
import { prepareFindRecords, prepareListSettledSince, prepareRecordsOf } from "./read-records.ts";
import { RECORD_LEASES } from "./record-leases.ts";
import { prepareSweepEvents } from "./sweep-events.ts";
import { prepareWriteEvents } from "./write-events.ts";

/**
 * The hub in SQLite.
 *
 * @param current what is open at this moment; throws if nothing is
 */
export function sqliteHub(current: () => { readonly connection: Connection }): HubStorage {
  return {
    leases: leases(current, RECORD_LEASES),
    ...bind(current, {
      createEvents: write(prepareWriteEvents),
      findEvents: query(prepareFindEvents),
      listEvents: read(prepareListEvents),
      listEventsSince: query(prepareListEventsSince),
      recordsOf: query(prepareRecordsOf),
      findRecords: query(prepareFindRecords),
      listSettledSince: query(prepareListSettledSince),
      acknowledgeEvent: write(prepareAcknowledgeEvent),
      upsertIdentity: write(prepareUpsertIdentity),
      findIdentity: query(prepareFindIdentity),
      findIdentityBySource: query(prepareFindIdentityBySource),
      listIdentities: read(prepareListIdentities),
      createHandler: write(prepareCreateHandler),
      findHandler: query(prepareFindHandler),
      listHandlers: read(prepareListHandlers),
      updateHandler: write(prepareUpdateHandler),
      deleteHandler: write(prepareDeleteHandler),
      endRecords: write(prepareEndRecords),
      sweep: write(prepareSweepEvents),
    }),
  };
}

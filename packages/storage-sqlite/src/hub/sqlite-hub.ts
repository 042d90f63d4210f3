import type { HubStorage } from "@belfry/core/storage";
import { bind, query, read, write } from "../database/bind.ts";
import type { Connection } from "../database/connection.ts";
import { leases } from "../database/leases.ts";
import {
  prepareAcknowledgeEvent,
  prepareFindEvents,
  prepareListEvents,
  prepareListEventsSince,
  prepareSweepEvents,
  prepareWriteEvents,
} from "./events.ts";
import { prepareCreateHandler, prepareDeleteHandler, prepareFindHandler, prepareListHandlers, prepareUpdateHandler } from "./handlers.ts";
import { prepareFindIdentity, prepareFindIdentityBySource, prepareListIdentities, prepareUpsertIdentity } from "./identities.ts";
import { prepareEndRecords, prepareFindRecords, prepareListSettledSince, prepareRecordsOf, RECORD_LEASES } from "./records.ts";

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

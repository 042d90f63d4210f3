import type { HubStorage } from "@belfry/core/storage";
import { type Bound, bind, run } from "../database/bind.ts";
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

/** The hub in PostgreSQL. Every operation is one statement that writes, or one that reads: a transaction by itself. */
export function postgresHub(bound: Bound): HubStorage {
  return {
    leases: leases(bound, RECORD_LEASES),
    ...bind(bound, {
      createEvents: run(prepareWriteEvents),
      findEvents: run(prepareFindEvents),
      listEvents: run(prepareListEvents),
      listEventsSince: run(prepareListEventsSince),
      recordsOf: run(prepareRecordsOf),
      findRecords: run(prepareFindRecords),
      listSettledSince: run(prepareListSettledSince),
      acknowledgeEvent: run(prepareAcknowledgeEvent),
      upsertIdentity: run(prepareUpsertIdentity),
      findIdentity: run(prepareFindIdentity),
      findIdentityBySource: run(prepareFindIdentityBySource),
      listIdentities: run(prepareListIdentities),
      createHandler: run(prepareCreateHandler),
      findHandler: run(prepareFindHandler),
      listHandlers: run(prepareListHandlers),
      updateHandler: run(prepareUpdateHandler),
      deleteHandler: run(prepareDeleteHandler),
      endRecords: run(prepareEndRecords),
      sweep: run(prepareSweepEvents),
    }),
  };
}

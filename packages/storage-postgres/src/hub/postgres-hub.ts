import type { HubStorage } from "@belfry/core/storage";
import { type Bound, bind, run } from "../database/bind.ts";
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

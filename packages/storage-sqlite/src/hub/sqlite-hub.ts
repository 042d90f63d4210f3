import type { SourceRecord } from "@belfry/core";
import type { ClaimedRecord, HubStorage, RecordClaim } from "@belfry/core/storage";
import { bind, query, read, write } from "../database/bind.ts";
import type { Connection } from "../database/connection.ts";
import { prepareAcknowledgeEvent } from "./acknowledge-event.ts";
import { prepareClaimRecords, prepareNextRecordDue, prepareRecordsLeasedTo, prepareRenewRecords } from "./claim-records.ts";
import { prepareHasDueRecord } from "./due-records.ts";
import { prepareEndRecords, prepareLostLeases, prepareTakeBackRecords } from "./end-records.ts";
import { prepareCreateHandler, prepareDeleteHandler, prepareFindHandler, prepareListHandlers, prepareUpdateHandler } from "./handlers.ts";
import { prepareFindIdentity, prepareFindIdentityBySource, prepareListIdentities, prepareUpsertIdentity } from "./identities.ts";
import { prepareFindEvents, prepareListEvents, prepareListEventsSince } from "./read-events.ts";
import { prepareFindRecords, prepareListSettledSince, prepareRecordsOf } from "./read-records.ts";
import { prepareWriteEvents } from "./write-events.ts";

/**
 * The hub in SQLite.
 *
 * @param current what is open at this moment; throws if nothing is
 */
export function sqliteHub(current: () => { readonly connection: Connection }): HubStorage {
  return {
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
      recordsLeasedTo: read(prepareRecordsLeasedTo),
      renewRecords: write(prepareRenewRecords),
      endRecords: write(prepareEndRecords),
      nextRecordDueInMs: query(prepareNextRecordDue),
    }),

    async claimRecords(request: RecordClaim): Promise<readonly ClaimedRecord[]> {
      const { connection } = current();
      const isDue = await connection.query(() => connection.prepared(prepareHasDueRecord)(request.at));
      return isDue ? connection.write(() => connection.prepared(prepareClaimRecords)(request)) : [];
    },

    async takeBackRecords(request): Promise<readonly SourceRecord[]> {
      const { connection } = current();
      // Most of the time no lease was lost: that is learned without a transaction.
      const isAnyLost = (await connection.query(() => connection.prepared(prepareLostLeases)(request))).length > 0;
      return isAnyLost ? connection.write(() => connection.prepared(prepareTakeBackRecords)(request)) : [];
    },
  };
}

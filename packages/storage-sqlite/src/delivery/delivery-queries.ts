import type { Database } from "better-sqlite3";
import { queryContext } from "../database/query-context.ts";
import { prepareApiKeys } from "../service/api-keys.ts";
import { prepareListAudit } from "./audit-log.ts";
import { prepareDeleteSend, preparePlaceItems, preparePruneKeys, prepareUpdateSend } from "./change-send.ts";
import { prepareClaim, prepareHasDue, prepareLeasedTo, prepareNextDue, prepareRenew } from "./claim.ts";
import { prepareCountSends, prepareDeliveriesOf, prepareFindSend, prepareListSends } from "./read-sends.ts";
import { prepareSelectChains } from "./select-chains.ts";
import { prepareSettle } from "./settle.ts";
import { prepareWriteSend } from "./write-send.ts";

/** Every operation on deliveries, prepared for one connection. They are synchronous, and open no transaction. */
export type DeliveryQueries = ReturnType<typeof prepareDeliveryQueries>;

/** Prepares every operation on deliveries for `database`, whose tables must exist. */
export function prepareDeliveryQueries(database: Database) {
  const context = queryContext(database);
  return {
    apiKeys: prepareApiKeys(context),
    claim: prepareClaim(context),
    countSends: prepareCountSends(context),
    deleteSend: prepareDeleteSend(context),
    deliveriesOf: prepareDeliveriesOf(context),
    findSend: prepareFindSend(context),
    hasDue: prepareHasDue(context),
    listAudit: prepareListAudit(context),
    listSends: prepareListSends(context),
    nextDue: prepareNextDue(context),
    placeItems: preparePlaceItems(context),
    pruneKeys: preparePruneKeys(context),
    leasedTo: prepareLeasedTo(context),
    renew: prepareRenew(context),
    selectChains: prepareSelectChains(context),
    settle: prepareSettle(context),
    updateSend: prepareUpdateSend(context),
    writeSend: prepareWriteSend(context),
  };
}

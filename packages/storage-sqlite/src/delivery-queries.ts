import type { Database } from "better-sqlite3";
import { prepareApiKeys } from "./queries/api-keys.ts";
import { prepareListAudit } from "./queries/deliveries/audit-log.ts";
import { prepareDeleteSend, preparePlaceItems, preparePruneKeys, prepareUpdateSend } from "./queries/deliveries/change-send.ts";
import { prepareClaim, prepareHasDue, prepareLeasedTo, prepareNextDue, prepareRenew } from "./queries/deliveries/claim.ts";
import { prepareCountSends, prepareDeliveriesOf, prepareFindSend, prepareListSends } from "./queries/deliveries/read-sends.ts";
import { prepareSelectChains } from "./queries/deliveries/select-chains.ts";
import { prepareSettle } from "./queries/deliveries/settle.ts";
import { prepareWriteSend } from "./queries/deliveries/write-send.ts";
import { queryContext } from "./query-context.ts";

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

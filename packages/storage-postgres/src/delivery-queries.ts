import { prepareApiKeys } from "./queries/api-keys.ts";
import { prepareListAudit } from "./queries/deliveries/audit-log.ts";
import { prepareDeleteSend, preparePlaceItems, preparePruneKeys, prepareUpdateSend } from "./queries/deliveries/change-send.ts";
import { prepareClaim, prepareLeasedTo, prepareNextDue, prepareRenew } from "./queries/deliveries/claim.ts";
import { prepareCountSends, prepareDeliveriesOf, prepareFindSend, prepareListSends } from "./queries/deliveries/read-sends.ts";
import { prepareSettle } from "./queries/deliveries/settle.ts";
import { prepareWriteSends } from "./queries/deliveries/write-sends.ts";
import { preparePresence } from "./queries/presence.ts";
import type { TableNames } from "./table-names.ts";

/** Every operation on deliveries, API keys and presence over the given tables. */
export type DeliveryQueries = ReturnType<typeof prepareDeliveryQueries>;

/** Makes the statements of all operations; connections prepare them when they first run them. */
export function prepareDeliveryQueries(tables: TableNames) {
  return {
    apiKeys: prepareApiKeys(tables),
    claim: prepareClaim(tables),
    countSends: prepareCountSends(tables),
    deleteSend: prepareDeleteSend(tables),
    deliveriesOf: prepareDeliveriesOf(tables),
    findSend: prepareFindSend(tables),
    listAudit: prepareListAudit(tables),
    listSends: prepareListSends(tables),
    nextDue: prepareNextDue(tables),
    placeItems: preparePlaceItems(tables),
    presence: preparePresence(tables),
    pruneKeys: preparePruneKeys(tables),
    leasedTo: prepareLeasedTo(tables),
    renew: prepareRenew(tables),
    settle: prepareSettle(tables),
    updateSend: prepareUpdateSend(tables),
    writeSends: prepareWriteSends(tables),
  };
}

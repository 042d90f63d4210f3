import type { TableNames } from "../database/table-names.ts";
import { preparePresence } from "../realtime/presence.ts";
import { prepareApiKeys } from "../service/api-keys.ts";
import { prepareListAudit } from "./audit-log.ts";
import { prepareDeleteSend, preparePlaceItems, preparePruneKeys, prepareUpdateSend } from "./change-send.ts";
import { prepareClaim, prepareLeasedTo, prepareNextDue, prepareRenew } from "./claim.ts";
import { prepareCountSends, prepareDeliveriesOf, prepareFindSend, prepareListSends } from "./read-sends.ts";
import { prepareSettle } from "./settle.ts";
import { prepareWriteSends } from "./write-sends.ts";

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

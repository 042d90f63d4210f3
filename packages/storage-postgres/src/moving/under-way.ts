import { tenantOfDeleted } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** Finds what of a tenant's work has to end before it can move, in words. */
export function workUnderWay({ deliveries, digests, processingRecords, fanOuts, fanOutChunks, audiences, notifications }: TableNames) {
  const leased = (table: string) => `SELECT FROM ${table} WHERE lease_owner IS NOT NULL AND tenant = $1`;
  const kinds: Readonly<Record<string, string>> = {
    "deliveries in hand": leased(deliveries),
    "digests in hand": leased(digests),
    "handlers that run": leased(processingRecords),
    "large audiences": `SELECT FROM ${fanOuts} WHERE tenant = $1 AND notification_pk IS NOT NULL`,
    "large audiences of an older version": `SELECT FROM ${fanOutChunks} c JOIN ${notifications} n ON n.pk = c.notification_pk WHERE n.tenant = $1`,
    "audiences of topics": `SELECT FROM ${audiences} WHERE tenant = $1 AND source IS NOT NULL`,
    "notifications that are being deleted": `SELECT FROM ${notifications} WHERE tenant = $2`,
  };
  const find = statement<[kind: string]>(
    "move_under_way",
    `SELECT k.kind FROM (VALUES ${Object.entries(kinds)
      .map(([kind, text]) => `('${kind}', EXISTS (${text}))`)
      .join(", ")}) k(kind, is_there) WHERE k.is_there`,
  );
  return async (session: Session, tenant: string): Promise<readonly string[]> => {
    const rows = await session.rows(find, [tenant, tenantOfDeleted(tenant)]);
    return rows.map(([kind]) => kind);
  };
}

import type { DeliveryStorage } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";

/** Makes deliveries that wait for quiet hours due in a SQL database. */
export function reconsidering(sql: Sql): Pick<DeliveryStorage, "reconsider"> {
  const { deliveries } = sql.tables;
  const waiting = "status = 'pending' AND lease_owner IS NULL AND reason = 'quiet_hours' AND due_at > $3";
  const some = `SELECT pk FROM ${deliveries} WHERE tenant = $1 AND recipient = $2 AND recipient_kind = 'user' AND ${waiting} LIMIT $4`;
  // A worker may have claimed one since it was found. Only the key is to find them, no index.
  const free = `${sql.unindexed("status")} = 'pending' AND lease_owner IS NULL`;
  const move = `UPDATE ${deliveries} SET due_at = $3 WHERE pk IN (${some}) AND ${free} RETURNING id`;
  return {
    async reconsider({ tenant, userId }, limit, at) {
      return (await sql.rows("reconsider_deliveries", move, [tenant, userId, at, limit])).length;
    },
  };
}

import type { Notification } from "@belfry/core";
import { type ActivityStorage, tenantBeforeDeletion, tenantOfDeleted } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";

/** After every name of a tenant that a deletion gives. */
const END = tenantOfDeleted("\u{10ffff}");

/** Finds deletions that have begun and have not ended. */
export function findingDeletions(sql: Sql): Pick<ActivityStorage, "beingDeleted"> {
  const text = `SELECT tenant, id FROM ${sql.tables.notifications} WHERE tenant > $1 AND tenant < $2 ORDER BY tenant, id LIMIT $3`;
  return {
    async beingDeleted(limit) {
      const rows = await sql.rows<Pick<Notification, "tenant" | "id">>("being_deleted", text, [tenantOfDeleted(""), END, limit]);
      return rows.map(({ tenant, id }) => ({ tenant: tenantBeforeDeletion(tenant) ?? tenant, id }));
    },
  };
}

import { createHash } from "node:crypto";
import type { AddressClaim, DeliveryStorage } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";

/** Lets deliveries take the addresses that they share with others of their notification, in a SQL database. */
export function takingAddresses(sql: Sql): Pick<DeliveryStorage, "takeAddresses"> {
  const { deliveries, takenAddresses } = sql.tables;
  const id = sql.cast("(value ->> 0)", "uuid");
  const asked = `SELECT value ->> 0 AS id, value ->> 1 AS place,
      (SELECT d.notification_pk FROM ${deliveries} d WHERE d.id = ${id}) AS notification_pk, (SELECT d.pk FROM ${deliveries} d WHERE d.id = ${id}) AS pk
    FROM ${sql.elements("$1")}`;
  // In the order of the key, so that two calls never wait for each other; of those who ask at once, the first of the notification gets it.
  const take = `INSERT INTO ${takenAddresses} (notification_pk, place, delivery_pk)
    SELECT notification_pk, place, pk FROM (${asked}) a WHERE pk IS NOT NULL ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING RETURNING place`;
  const find = `SELECT id FROM (${asked}) a
    WHERE pk = (SELECT t.delivery_pk FROM ${takenAddresses} t WHERE t.notification_pk = a.notification_pk AND t.place = a.place)`;
  return {
    async takeAddresses(claims) {
      const values = [JSON.stringify(claims.map((claim) => [claim.deliveryId, placeOf(claim)]))];
      await sql.rows("take_addresses", take, values);
      // A separate statement sees what the one above waited for.
      const found = await sql.rows<{ readonly id: string }>("taken_addresses", find, values);
      const has = new Set(found.map((row) => row.id));
      return claims.map(({ deliveryId }) => has.has(deliveryId));
    },
  };
}

function placeOf({ channel, address }: AddressClaim): string {
  return createHash("sha256").update(`${channel}\u0000${address}`).digest("hex");
}

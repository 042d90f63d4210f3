import { createHash } from "node:crypto";
import type { DeliveryStorage } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";

/** Makes deliveries to the single devices of a user, in a SQL database. A device that has one is a taken address. */
export function splittingByDevice(sql: Sql): Pick<DeliveryStorage, "splitByDevice"> {
  const { deliveries, takenAddresses, trackings } = sql.tables;
  const claimed = `d.id = ${sql.cast("$1", "uuid")} AND d.lease_owner = ${sql.cast("$2", "text")} AND d.fence = ${sql.cast("$3", "bigint")}`;
  const given = `${sql.cast("$4", "text")} IS NOT NULL AND ${sql.cast("$5", "timestamptz")} IS NOT NULL`;
  const turns = `(SELECT ${sql.cast("(value ->> 0)", "uuid")} AS id, value ->> 1 AS place FROM ${sql.elements("$4")})`;
  // Whoever decides on the chain meanwhile waits.
  const hold = `SELECT t.notification_pk FROM ${trackings} t
    WHERE t.notification_pk = (SELECT d.notification_pk FROM ${deliveries} d WHERE ${claimed}) AND ${given} ${sql.forUpdate("t")}`;
  const isSplit = `EXISTS (SELECT 1 FROM ${deliveries} o ${sql.join} ${takenAddresses} t ON t.delivery_pk = o.pk
    WHERE o.notification_pk = d.notification_pk AND o.chain = d.chain AND o.channel = d.channel AND t.notification_pk = d.notification_pk)`;
  const add = `INSERT INTO ${deliveries} (id, notification_pk, tenant, channel, recipient, chain, is_fallback, status, attempt, attempts_before, due_at, fence,
      recipient_kind, topic)
    SELECT e.id, d.notification_pk, d.tenant, d.channel, d.recipient, d.chain, d.is_fallback, 'pending', 0, 0, coalesce(d.due_at, ${sql.cast("$5", "timestamptz")}), 0,
      d.recipient_kind, d.topic
    FROM ${deliveries} d ${sql.join} ${turns} e ON e.id <> d.id WHERE ${claimed} AND NOT ${isSplit} AND ${given}`;
  const take = `INSERT INTO ${takenAddresses} (notification_pk, place, delivery_pk)
    SELECT d.notification_pk, e.place, o.pk FROM ${deliveries} d ${sql.join} ${turns} e ON true ${sql.join} ${deliveries} o ON o.id = e.id
    WHERE ${claimed} AND NOT ${isSplit} AND ${given} ORDER BY e.place ON CONFLICT DO NOTHING`;
  const find = `SELECT t.place FROM ${takenAddresses} t WHERE t.delivery_pk = (SELECT d.pk FROM ${deliveries} d WHERE d.id = ${sql.cast("$1", "uuid")})`;
  return {
    async splitByDevice({ id, leaseOwner, fence }, devices, at) {
      const places = devices.map(({ deviceId, deliveryId }, index) => [index === 0 ? id : deliveryId, placeOf(deviceId)] as const);
      await sql.inTransaction("split_by_device", [hold, add, take], [id, leaseOwner, fence, JSON.stringify(places), at]);
      const found = await sql.rows<{ readonly place: string }>("device_of_delivery", find, [id]);
      const own = new Set(found.map(({ place }) => place));
      return devices.find(({ deviceId }) => own.has(placeOf(deviceId)))?.deviceId ?? null;
    },
  };
}

/** The place of a device among taken addresses; the digest of a name that no address has. */
function placeOf(deviceId: string): string {
  return createHash("sha256").update(`\u0000device\u0000${deviceId}`).digest("hex");
}

import { type DeliveryRow, deliveryRecords } from "@belfry/storage-sql";
import { DIALECT } from "../database/sql.ts";

/** The records of deliveries, as SQLite has them. */
export const RECORDS = deliveryRecords(DIALECT);

/** A {@link DeliveryRow} with its key. */
export interface KeyedDeliveryRow extends DeliveryRow {
  readonly pk: number;
}

/** The columns of a {@link KeyedDeliveryRow}, over the tables `d` (deliveries) and `n` (notifications). */
export const DELIVERY_COLUMNS = `d.pk, ${RECORDS.delivery}`;

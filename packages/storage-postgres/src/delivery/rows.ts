import { deliveryRecords } from "@belfry/storage-sql";
import { DIALECT } from "../database/sql.ts";

/** The records of deliveries, as PostgreSQL has them. */
export const RECORDS = deliveryRecords(DIALECT);

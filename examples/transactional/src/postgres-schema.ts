import { pgTable, text, uuid } from "drizzle-orm/pg-core";

export const orders = pgTable("orders", {
  id: uuid("id").primaryKey(),
  customer: text("customer").notNull(),
  item: text("item").notNull(),
});

// Belfry's tables are part of this schema, so that drizzle-kit makes and keeps them with the application's own.
export * from "@belfry/storage-postgres/schema";

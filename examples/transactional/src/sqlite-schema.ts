import { sqliteTable, text } from "drizzle-orm/sqlite-core";

export const orders = sqliteTable("orders", {
  id: text("id").primaryKey(),
  customer: text("customer").notNull(),
  item: text("item").notNull(),
});

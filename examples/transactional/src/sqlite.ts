import { randomUUID } from "node:crypto";
import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { orders } from "./sqlite-schema.ts";

const file = process.env.SQLITE_FILE ?? "app.db";
const db = drizzle(new Database(file));
const notifications = new NotificationService({ storage: sqliteStorage(file) });

async function placeOrder(customer: string, item: string): Promise<void> {
  const id = randomUUID();
  // A transaction of better-sqlite3 cannot await anything, so this checks the notification before it.
  const batch = await notifications.prepare({ to: customer, type: "order_update", title: `Order received: ${item}`, data: { order: id } });
  db.transaction((tx) => {
    tx.insert(orders).values({ id, customer, item }).run();
    batch.write(tx);
    if (item === "the moon") {
      throw new Error(`We are out of ${item}.`);
    }
  });
}

await placeOrder("ann", "a lamp");
await placeOrder("ann", "the moon").catch((error: Error) => console.log(error.message));

const { items } = await notifications.inbox("ann").list();
console.log(`orders: ${await db.$count(orders)}, inbox: ${items.map(({ title }) => title)}`);
await notifications.stop();

import { randomUUID } from "node:crypto";
import { NotificationService } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import { orders } from "./postgres-schema.ts";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const db = drizzle(pool);
// drizzle-kit has made Belfry's tables with the others.
const notifications = new NotificationService({ storage: postgresStorage(pool, { migrate: false }) });

async function placeOrder(customer: string, item: string): Promise<void> {
  const id = randomUUID();
  await db.transaction(async (tx) => {
    await tx.insert(orders).values({ id, customer, item });
    await notifications.create({ to: customer, type: "order_update", title: `Order received: ${item}`, data: { order: id } }, { tx });
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
await pool.end();

import { randomUUID } from "node:crypto";
import { NotificationService } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const notifications = new NotificationService({ storage: postgresStorage(pool) });

async function placeOrder(customer: string, item: string): Promise<void> {
  const id = randomUUID();
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query("INSERT INTO orders (id, customer, item) VALUES ($1, $2, $3)", [id, customer, item]);
    await notifications.create(
      { to: customer, type: "order_update", title: `Order received: ${item}`, data: { order: id } },
      { tx: client },
    );
    if (item === "the moon") {
      throw new Error(`We are out of ${item}.`);
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

await pool.query("CREATE TABLE IF NOT EXISTS orders (id uuid PRIMARY KEY, customer text NOT NULL, item text NOT NULL)");
await placeOrder("ann", "a lamp");
await placeOrder("ann", "the moon").catch((error: Error) => console.log(error.message));

const { rows } = await pool.query("SELECT id FROM orders");
const { items } = await notifications.inbox("ann").list();
console.log(`orders: ${rows.length}, inbox: ${items.map(({ title }) => title)}`);
await notifications.stop();
await pool.end();

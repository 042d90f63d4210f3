import { honoBelfry } from "@belfry/adapter-hono";
import { NotificationService } from "@belfry/core";
import { inboxV1, pack } from "@belfry/core/contracts";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { serve } from "@hono/node-server";
import { Hono } from "hono";

const notifications = new NotificationService({ storage: sqliteStorage("app.db") });
await notifications.start();

const belfry = honoBelfry(notifications, {
  contracts: [inboxV1(), pack({ auth: "open" })],
  auth: { jwt: { secret: process.env.JWT_SECRET ?? "only-for-trying-it-out-0123456789" } },
});
const app = new Hono();
app.route("/", belfry);
app.post("/orders", async (context) => {
  await notifications.create({ to: "user_123", type: "order_update", title: "Order received", message: "We are packing it." });
  return context.body(null, 201);
});
const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: "127.0.0.1" });
server.on("upgrade", belfry.upgrade);

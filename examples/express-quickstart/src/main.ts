import { expressBelfry } from "@belfry/adapter-express";
import { NotificationService } from "@belfry/core";
import { inboxV1, pack } from "@belfry/core/contracts";
import { sqliteStorage } from "@belfry/storage-sqlite";
import express from "express";

const notifications = new NotificationService({ storage: sqliteStorage("app.db") });
await notifications.start();

const belfry = expressBelfry(notifications, {
  contracts: [inboxV1(), pack({ auth: "open" })],
  auth: { jwt: { secret: process.env.JWT_SECRET ?? "only-for-trying-it-out-0123456789" } },
});
const app = express();
app.use(belfry);
app.post("/orders", async (_request, response) => {
  await notifications.create({ to: "user_123", type: "order_update", title: "Order received", message: "We are packing it." });
  response.sendStatus(201);
});
const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
server.on("upgrade", belfry.upgrade);

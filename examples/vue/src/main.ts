import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { serve } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { vueApp } from "./app.ts";

const { DATABASE_FILE = "data/app.db", JWT_SECRET = "only-for-trying-it-out-0123456789", PAGE = "dist" } = process.env;

const notifications = new NotificationService({ storage: sqliteStorage(DATABASE_FILE) });
await notifications.start();
const { app, belfry } = vueApp(notifications, JWT_SECRET);
app.use(serveStatic({ root: PAGE }));
const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`Open http://127.0.0.1:${port}/?user=Ann in one window, and http://127.0.0.1:${port}/?user=Bob in another.`);
});
server.on("upgrade", belfry.upgrade);

async function stop(): Promise<void> {
  server.close();
  belfry.close();
  await notifications.stop();
}
process.once("SIGINT", stop).once("SIGTERM", stop);

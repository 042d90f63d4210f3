/**
 * Another process of a service on PostgreSQL, with a server of WebSockets. Its argument is the URL of the database. Task: `{}`, answered
 * with `{ port, request }`: where to connect, and by which request.
 */
import { NotificationService } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import pg from "pg";
import { belfrySockets } from "../settings/socket-servers.ts";

const [, , connectionString = ""] = process.argv;
const service = new NotificationService({ storage: postgresStorage(new pg.Pool({ connectionString, max: 5 })) });

process.on("message", async () => {
  await service.start();
  const { port, request } = await belfrySockets(service, "websocket");
  process.send?.({ port, request });
});

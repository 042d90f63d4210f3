import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { types } from "./notification-types.ts";

/** The one service of the process: `notifications.create({ to: "ann", type: "welcome" })`. */
export const notifications = new NotificationService({
  storage: sqliteStorage(process.env.DATABASE_FILE ?? "data/belfry.db"),
  types,
});

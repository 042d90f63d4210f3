import { NotificationService } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import { types } from "./notification-types.ts";

/** The one service of the process: `notifications.create({ to: "ann", type: "welcome" })`. */
export const notifications = new NotificationService({
  storage: postgresStorage(process.env.DATABASE_URL ?? "postgres://localhost:5432/app"),
  types,
});

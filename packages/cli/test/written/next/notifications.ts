import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { types } from "./notification-types.ts";

const makeService = () =>
  new NotificationService({
    storage: sqliteStorage(process.env.DATABASE_FILE ?? "data/belfry.db"),
    types,
  });

const kept: typeof globalThis & { belfry?: ReturnType<typeof makeService> } = globalThis;
kept.belfry ??= makeService();

/** The one service of the process. Next loads modules again when they change, and apart for pages and routes, so it is kept outside of them. */
export const notifications = kept.belfry;

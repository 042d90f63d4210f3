import { defineTypes, NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { z } from "zod";

const types = defineTypes({
  comment: {
    label: "Comments",
    category: "social",
    data: z.object({ author: z.string(), text: z.string() }),
    title: ({ data: { author } }) => `${author} wrote to you`,
    message: ({ data: { text } }) => text,
  },
});

const makeService = () => new NotificationService({ storage: sqliteStorage(process.env.DATABASE_FILE ?? "data/app.db"), types });

declare global {
  var appNotifications: ReturnType<typeof makeService> | undefined;
}

globalThis.appNotifications ??= makeService();

/** The one service of the process. Next loads modules again when they change, and apart for pages and routes, so it is kept outside of them. */
export const notifications = globalThis.appNotifications;

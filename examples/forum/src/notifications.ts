import { type Channel, type Clock, NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import type { Database } from "./database.ts";
import { forumTypes } from "./notification-types.ts";

/** What differs between the running forum and its tests. */
export interface NotificationOptions {
  readonly channels: readonly Channel[];
  readonly publicUrl: string;
  /** Signs the links to unsubscribe: at least 32 characters. */
  readonly linkSecret: string;
  readonly clock?: Clock;
}

/** Makes the service, in the forum's own database file. Mails go to the addresses in the forum's own table of users, in their language. */
export function forumNotifications(database: Database, { publicUrl, ...options }: NotificationOptions) {
  return new NotificationService({
    ...options,
    publicUrl,
    storage: sqliteStorage(database.file),
    types: forumTypes(publicUrl),
    directory: (ids) => new Map(database.usersOf(ids).map(({ id, email, locale }) => [id, { email, locale }])),
  });
}

/** The forum's service: it knows the forum's types. */
export type ForumNotifications = ReturnType<typeof forumNotifications>;

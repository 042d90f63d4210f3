import type { Notification } from "@belfry/core";
import { fieldsOf } from "../database/fields.ts";
import { notifications } from "../schema.ts";

/** What is written and read of a notification. */
export const NOTIFICATION_FIELDS = fieldsOf<Notification>(notifications);

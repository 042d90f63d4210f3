import { BelfryError } from "../foundation/errors.ts";
import type { JsonObject } from "../foundation/json.ts";
import type { Notification } from "../notifications/index.ts";

/** A notification as the memory storage keeps it, and which number it has in each of its inboxes. */
export interface MemoryNotification {
  /** Shares nothing with what the caller passed in; its data is frozen. */
  readonly notification: Notification;
  readonly seqByUser: Map<string, number>;
}

/**
 * Copies `notification`, so that nobody can change afterwards what is stored.
 *
 * @throws BelfryError `STORAGE_FAILED` for what no database keeps: a missing text, or data that JSON has no form for
 */
export function keepNotification(notification: Notification): MemoryNotification {
  return {
    notification: {
      ...notification,
      title: keepText(notification.title),
      data: keepData(notification.data),
      createdAt: new Date(notification.createdAt),
    },
    seqByUser: new Map(),
  };
}

function keepText(text: unknown): string {
  if (typeof text !== "string") {
    throw new BelfryError(
      "STORAGE_FAILED",
      `The memory storage got a title that is no text but ${typeof text}. Pass a string; it may be empty.`,
    );
  }
  return text;
}

/** Copies data by way of JSON, as databases do it: a member called `__proto__` stays plain data. Throws as {@link keepNotification} does. */
export function keepData(data: JsonObject): JsonObject {
  try {
    return JSON.parse(JSON.stringify(data), (_, value: unknown) => Object.freeze(value)) as JsonObject;
  } catch (cause) {
    throw new BelfryError("STORAGE_FAILED", "The memory storage got data that JSON has no form for. Pass plain JSON.", { cause });
  }
}

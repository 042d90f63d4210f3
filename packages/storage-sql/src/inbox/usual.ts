import type { Notification } from "@belfry/core";

/**
 * Whether a notification has none of the fields that may be null, as most have none. Every create asks: a loop over the fields' names
 * takes twenty times as long.
 */
export function isUsual({ source, actor, url, actions, rendered, expiresAt, category, group, replaceKey }: Notification): boolean {
  const isPlain = source === null && actor === null && url === null && actions === null && rendered === null;
  return isPlain && expiresAt === null && category === null && group === null && replaceKey === null;
}

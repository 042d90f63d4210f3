import type { DeliveryTask } from "@belfry/core";

/** The body of a webhook: the type's own, else the same bytes at every attempt. */
export function payloadOf(task: DeliveryTask): string {
  if (task.contents?.body !== undefined) {
    return JSON.stringify(task.contents.body);
  }
  const { event } = task.data;
  return JSON.stringify({
    type: typeof event === "string" ? event : "notification",
    timestamp: task.createdAt.toISOString(),
    data: {
      ...{ id: task.notificationId, room_id: task.roomId, subject: task.title, content: task.message, meta: task.data },
      ...(task.digest === null ? {} : { digest: digestOf(task.digest) }),
    },
  });
}

function digestOf({ key, total, entries }: NonNullable<DeliveryTask["digest"]>) {
  const shown = entries.map(({ notificationId, type, title, message, url, data, createdAt }) => ({
    ...{ id: notificationId, type, subject: title, content: message, url, meta: data, timestamp: createdAt.toISOString() },
  }));
  return { key, total, entries: shown };
}

/** Says what is wrong with a notification's `data`. */
export function invalidWebhookData({ event }: DeliveryTask["data"]): readonly string[] {
  const isFine = event === undefined || event === null || (typeof event === "string" && event.length > 0 && event.length <= 255);
  return isFine ? [] : ["event must be a text of 1 to 255 characters"];
}

import type { DeliveryTask } from "@belfry/core";

/** The body of a webhook: the same bytes at every attempt. */
export function payloadOf(task: DeliveryTask): string {
  const { event } = task.meta;
  return JSON.stringify({
    type: typeof event === "string" ? event : "notification",
    timestamp: task.createdAt.toISOString(),
    data: { id: task.notificationId, room_id: task.roomId, subject: task.subject, content: task.content, meta: task.meta },
  });
}

/** Says what is wrong with the sender's `meta`. */
export function invalidWebhookMeta({ event }: DeliveryTask["meta"]): readonly string[] {
  const isFine = event === undefined || event === null || (typeof event === "string" && event.length > 0 && event.length <= 255);
  return isFine ? [] : ["event must be a text of 1 to 255 characters"];
}

import type { HubEvent } from "../hub/index.ts";
import type { keepNotification } from "./memory-notification.ts";

type Kept = Parameters<typeof keepNotification>[0];

export function eventOf({ id, tenant, source, sender, message, data, createdAt }: Kept): HubEvent {
  return { id, tenant, source: source ?? "", sender: sender ?? "", content: message, metadata: data, receivedAt: createdAt };
}

export function notificationOf({ id, tenant, source, sender, content, metadata, receivedAt }: HubEvent): Kept {
  return { id, tenant, kind: "event", type: source, title: "", message: content, data: metadata, source, sender, createdAt: receivedAt };
}

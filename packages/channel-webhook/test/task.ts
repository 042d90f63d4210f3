import type { DeliveryTask } from "@belfry/core";

/** A task for a channel, with `changes` over an ordinary one. */
export function taskOf(changes: Partial<DeliveryTask> = {}): DeliveryTask {
  const address = changes.address ?? "https://hooks.example.com/in";
  return {
    id: "0193c5a0-0000-7000-8000-000000000001",
    notificationId: "0193c5a0-0000-7000-8000-000000000002",
    tenant: "acme",
    recipient: address,
    address,
    roomId: "550e8400-e29b-41d4-a716-446655440001",
    type: "note",
    title: "",
    message: "New message in room — „ünïcode“ 🎐",
    data: { event: "message_created", sender: "john.doe@example.com" },
    url: null,
    actions: null,
    contents: null,
    digest: null,
    unsubscribeUrl: null,
    group: null,
    unread: null,
    locale: "en",
    isFallback: false,
    attempt: 1,
    priority: "normal",
    createdAt: new Date("2026-01-01T12:00:00.000Z"),
    ...changes,
  };
}

import type { DeliveryTask } from "@belfry/core";

/** A task for a channel, with `changes` over an ordinary one. */
export function taskOf(changes: Partial<DeliveryTask> = {}): DeliveryTask {
  const address = changes.address ?? "jane@example.com";
  return {
    id: "0193c5a0-0000-7000-8000-000000000001",
    notificationId: "0193c5a0-0000-7000-8000-000000000002",
    tenant: "acme",
    recipient: address,
    address,
    roomId: null,
    type: "note",
    title: "New message",
    message: "You have a new message.",
    data: {},
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

/** A signal that never aborts. */
export const noAbort = new AbortController().signal;

/** The only mail of a list. */
export function only<T>(list: readonly T[]): T {
  const [first] = list;
  if (list.length !== 1 || first === undefined) {
    throw new Error(`there is not one, but ${list.length}`);
  }
  return first;
}

import { type DeliveryTask, deviceAddress, type PushDevice } from "@belfry/core";

/** A device of a platform. */
export function deviceOf(platform: PushDevice["platform"], token: string, more: Partial<PushDevice> = {}): PushDevice {
  return { platform, token, keys: null, app: null, ...more };
}

/** A task for a device, with `changes` over an ordinary one. */
export function taskOf(device: PushDevice, changes: Partial<DeliveryTask> = {}): DeliveryTask {
  return {
    id: "0193c5a0-0000-7000-8000-000000000001",
    notificationId: "0193c5a0-0000-7000-8000-000000000002",
    tenant: "acme",
    recipient: "ann",
    address: deviceAddress(device),
    roomId: null,
    type: "comment",
    title: "Bob commented — „ünïcode“ 🎐",
    message: "Well said.",
    data: { postId: "7", likes: 3 },
    url: "/posts/7",
    actions: null,
    contents: null,
    digest: null,
    unsubscribeUrl: null,
    group: "post 7",
    unread: 4,
    locale: "en",
    isFallback: false,
    attempt: 1,
    priority: "high",
    createdAt: new Date("2026-01-01T12:00:00.000Z"),
    ...changes,
  };
}

/** A signal of an attempt that nobody ends. */
export const live = () => new AbortController().signal;

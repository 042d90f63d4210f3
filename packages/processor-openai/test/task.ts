import type { HubEvent, ProcessingTask } from "@belfry/core";

/** A task for a processor, with `changes` over an ordinary one, and `event` over its ordinary event. */
export function taskOf(event: Partial<HubEvent> = {}, changes: Partial<ProcessingTask> = {}): ProcessingTask {
  return {
    recordId: "0193c5a0-0000-7000-8000-000000000001",
    tenant: "acme",
    handlerId: "0193c5a0-0000-7000-8000-000000000002",
    prompt: "Categorize this email into work, personal, or spam.",
    notification: {
      id: "0193c5a0-0000-7000-8000-000000000003",
      tenant: "acme",
      source: "email-service",
      sender: "john@example.com",
      content: "Meeting at 3pm — „ünïcode“ 🎐\nRoom 5",
      metadata: { subject: "Meeting", priority: 2, labels: ["a", "b"] },
      receivedAt: new Date("2026-01-01T12:00:00.000Z"),
      ...event,
    },
    identity: { id: "0193c5a0-0000-7000-8000-000000000004", name: "John Doe" },
    attempt: 1,
    ...changes,
  };
}

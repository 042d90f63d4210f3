import type { Processor } from "@belfry/core";

/** Stands in for a model if none is configured: it knows two words. */
export const keywords: Processor = {
  name: "keywords",
  timeoutMs: 1_000,
  concurrency: 10,
  async process({ notification }) {
    const isUrgent = /down|full/i.test(notification.content);
    return { status: "completed", text: isUrgent ? `URGENT: ${notification.content}` : "can wait" };
  },
};

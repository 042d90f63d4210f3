import { NotificationService } from "@belfry/core";
import { openai } from "@belfry/processor-openai";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { keywords } from "./keywords.ts";

const { OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL = "gpt-5-mini" } = process.env;
const notifications = new NotificationService({
  storage: sqliteStorage(process.env.SQLITE_FILE ?? ":memory:"),
  hub: {
    processor: OPENAI_API_KEY
      ? openai({ model: OPENAI_MODEL, apiKey: OPENAI_API_KEY, ...(OPENAI_BASE_URL && { baseURL: OPENAI_BASE_URL }) })
      : keywords,
    async onResult({ text, event, create }) {
      if (text.startsWith("URGENT")) {
        await create({ to: "on-call", type: "incident", title: text.slice(0, 200), data: { event: event.id, from: event.sender } });
      }
    },
  },
});

const { handlers, events } = notifications.hub;
await handlers.create({
  source: "monitoring",
  prompt: "Does a person have to get up for this? Answer URGENT: and one sentence, or: can wait",
  filter: { level: { operator: "in", value: ["warning", "error"] } },
});
await events.create({ source: "monitoring", sender: "db-1", content: "The disk is full", metadata: { level: "error" } });
await events.create({ source: "monitoring", sender: "db-2", content: "The disk is half empty", metadata: { level: "warning" } });
await events.create({ source: "monitoring", sender: "web-1", content: "Up and never down", metadata: { level: "info" } });
await notifications.runDue();

const { items } = await notifications.inbox("on-call").list();
for (const { title, data } of items) {
  console.log(`${title} (${data.from})`);
}
await notifications.stop();

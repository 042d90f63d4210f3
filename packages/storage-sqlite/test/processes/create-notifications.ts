// Creates notifications for a few users, many at once, and prints the id of each after it was acknowledged.
import { systemClock, uuidV7 } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";

const IN_FLIGHT = 8;
const ids = uuidV7(systemClock);
const storage = sqliteStorage(process.argv[2] ?? "");
await storage.open();

async function create(number: number): Promise<void> {
  const notification = {
    id: ids.next(),
    tenant: "acme",
    kind: "message" as const,
    type: "note",
    title: "",
    message: "m".repeat(200),
    data: { number },
    source: null,
    actor: null,
    url: null,
    actions: null,
    priority: "high" as const,
    rendered: null,
    category: null,
    group: null,
    replaceKey: null,
    createdAt: new Date(),
    expiresAt: null,
  };
  await storage.inbox.createMany([{ notification, recipients: ["ann", `user ${number % 5}`] }]);
  // Waits until the line is out: what was not printed was not acknowledged to anybody.
  await new Promise<void>((resolve) => process.stdout.write(`${notification.id}\n`, () => resolve()));
}

async function createForever(): Promise<never> {
  for (let number = 0; ; number += 1) {
    await create(number);
  }
}

await Promise.all(Array.from({ length: IN_FLIGHT }, createForever));

/**
 * A host that creates notifications for its parent, any number at once, and answers each request. It ends when its parent
 * disconnects.
 */
import { NotificationService } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import type { CreateAnswer, CreateRequest } from "../creating-host.ts";

const notifications = new NotificationService({ storage: postgresStorage(process.env.DATABASE_URL ?? "") });
await notifications.start();

function answer(reply: CreateAnswer): void {
  if (process.connected) {
    process.send?.(reply);
  }
}

process.on("message", ({ number, to, title }: CreateRequest) => {
  notifications.create({ to, title }).then(
    () => answer({ number, failure: null }),
    (error: unknown) => answer({ number, failure: String(error) }),
  );
});
process.on("disconnect", () => {
  void notifications.stop();
});
answer({ number: 0, failure: null });

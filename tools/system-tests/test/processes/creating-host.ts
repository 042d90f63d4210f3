/**
 * A host that creates what its parent asks it to, as many at once as it is asked, and answers each. It ends when its
 * parent lets go of it.
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

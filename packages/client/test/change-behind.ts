import type { NotificationService } from "@belfry/core";
import { oneOf, type Random } from "./random.ts";

const MARKS = ["read", "unread", "seen", "unseen", "pinned", "unpinned", "archived", "unarchived", "woken"] as const;

/** Changes something behind the clients. */
export async function changeBehind(service: NotificationService, user: string, random: Random): Promise<void> {
  const inbox = service.inbox(user);
  const { lastSeq } = await inbox.counts();
  const refs = [0, 1, 2].map(() => ({ seq: Math.max(1, lastSeq - random(40)) }));
  const type = oneOf(random, ["note", "talk"]);
  const group = random(2) === 0 ? { group: `thread ${random(2)}` } : {};
  await oneOf<() => Promise<unknown>>(random, [
    () => service.create({ to: user, type, title: `Number ${lastSeq}`, ...group }),
    () => service.create({ to: user, type, title: `Number ${lastSeq}`, ...group }),
    () => service.create({ to: user, type, title: `Number ${lastSeq}`, replace: "key" }),
    () => service.create({ to: user, type, title: `Number ${lastSeq}`, expiresAt: new Date(Date.now() + 100 + random(2_000)) }),
    () => inbox.markMany(refs, oneOf(random, MARKS)),
    () => inbox.snoozeMany(refs, new Date(Date.now() + 100 + random(2_000))),
    () => inbox.removeMany(refs.slice(0, 1)),
    () => (random(4) === 0 ? inbox.markAllRead() : inbox.markMany(refs, "unread")),
    () => (random(4) === 0 ? inbox.removeRead() : inbox.markMany(refs, "unread")),
    () => inbox.markAllRead({ filter: { types: ["note"] }, upTo: Math.max(0, lastSeq - random(10)) }),
  ])();
}

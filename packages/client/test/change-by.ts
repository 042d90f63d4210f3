import type { InboxClient, Result } from "../src/index.ts";
import { oneOf, type Random } from "./random.ts";
import { FILTERS } from "./shown.ts";

const FAR = new Date("2999-01-01T00:00:00Z");
const PAST = new Date("2001-01-01T00:00:00Z");

/** Changes something through a client, as a user would. Some changes are refused. */
export function changeBy(client: InboxClient, random: Random): Promise<Result<number>> {
  const { items } = client.view(FILTERS[random(FILTERS.length)]).getSnapshot();
  const ids = items.slice(random(3), 3 + random(3)).map(({ id }) => id);
  const upTo = items[random(Math.max(1, items.length))]?.seq ?? 1;
  return oneOf(random, [
    () => client.markRead(ids),
    () => client.markUnread(ids),
    () => client.markSeen(ids),
    () => client.archive(ids),
    () => client.unarchive(ids),
    () => client.pin(ids),
    () => client.unpin(ids),
    () => client.snooze(ids, FAR),
    () => client.snooze(ids, PAST),
    () => client.wake(ids),
    () => client.remove(ids.slice(0, 1)),
    () => client.markAllRead(random(2) === 0 ? {} : { upTo }),
    () => client.markAllSeen({ filter: { types: ["note"] } }),
    () => client.archiveAll({ filter: { read: true }, upTo }),
    () => client.group("thread 0").markRead(),
    () => client.group("thread 1").archive({ upTo }),
  ])();
}

import type { NotificationService } from "@belfry/core";
import { estimate } from "../harness/statistics.ts";
import { inputFor } from "../settings/content.ts";
import { randomUser } from "../settings/users.ts";

const PAGE = 20;
const WARM_UP = 20;
const SAMPLES = 200;
const AT_MOST_MS = 2_000;

/** What is measured at each size: the median time of a call, in microseconds, by its name. */
export type Medians = Readonly<Record<string, number>>;

/** A database of some size: half of its items are in the inbox of the first user. */
export interface Grown {
  readonly service: NotificationService;
  readonly users: readonly string[];
  /** How many items the first user has. */
  readonly hotItems: number;
}

/** Times each operation, on random users and on the large inbox. */
export async function measureOperations({ service, users, hotItems }: Grown): Promise<Medians> {
  const user = randomUser(users);
  const hot = service.inbox(users[0] as string);
  const { nextCursor } = await hot.list({ limit: PAGE, offset: Math.floor(hotItems / 2) });
  let order = 0;
  const create = (userId: string) => {
    order += 1;
    return service.create(inputFor(userId, order));
  };
  // Marks go last: they change what the others read.
  let seq = 0;
  const operations: Readonly<Record<string, () => Promise<unknown>>> = {
    "create, random user": () => create(user()),
    "create, large inbox": () => create(users[0] as string),
    "list of 20, random user": () => service.inbox(user()).list({ limit: PAGE }),
    "list of 20, large inbox": () => hot.list({ limit: PAGE }),
    "list of 20 by cursor, half way down": () => hot.list({ limit: PAGE, cursor: nextCursor ?? "none" }),
    "list of 20 unread, large inbox": () => hot.list({ limit: PAGE, status: "unread" }),
    "counts, large inbox": () => hot.counts(),
    "mark one read, large inbox": () => {
      seq += 1;
      return hot.markRead({ seq });
    },
    "mark all read, large inbox": async () => {
      await create(users[0] as string);
      return hot.markAllRead();
    },
  };
  const medians: Record<string, number> = {};
  for (const [name, operation] of Object.entries(operations)) {
    medians[name] = await medianOf(operation);
  }
  return medians;
}

async function medianOf(operation: () => Promise<unknown>): Promise<number> {
  const micros: number[] = [];
  const stopMs = performance.now() + AT_MOST_MS;
  for (let index = 0; index < WARM_UP + SAMPLES && performance.now() < stopMs; index += 1) {
    const startedMs = performance.now();
    await operation();
    micros.push((performance.now() - startedMs) * 1_000);
  }
  return estimate(micros.length > 2 * WARM_UP ? micros.slice(WARM_UP) : micros).median;
}

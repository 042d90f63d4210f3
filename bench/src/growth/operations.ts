import type { NotificationService } from "@belfry/core";
import { estimate } from "../harness/statistics.ts";
import { inputFor, typeOf } from "../settings/content.ts";
import { BATCH } from "../settings/noop-channel.ts";
import { randomUser } from "../settings/users.ts";

const PAGE = 20;
const WARM_UP = 20;
const SAMPLES = 200;
const AT_MOST_MS = 2_000;

/** What is measured at each size: the median time of a call, in microseconds, by its name. */
export type Medians = Readonly<Record<string, number>>;

/** A database of some size: half of its items are in the inbox of the first user, and as many deliveries as it has items have ended. */
export interface Grown {
  readonly service: NotificationService;
  readonly users: readonly string[];
  /** How many items the first user has. */
  readonly hotItems: number;
  /** Writes sends that are due, each to one recipient. */
  enqueue(count: number): unknown;
}

/** What is timed, and what comes before it outside the time. */
interface Operation {
  before?(): unknown;
  run(): Promise<unknown>;
}

/** Times each operation, on random users and on the large inbox. */
export async function measureOperations({ service, users, hotItems, enqueue }: Grown): Promise<Medians> {
  const user = randomUser(users);
  const hotUser = users[0] as string;
  const hot = service.inbox(hotUser);
  const { nextCursor } = await hot.list({ limit: PAGE, offset: Math.floor(hotItems / 2) });
  let order = 0;
  const create = (userId: string) => {
    order += 1;
    return service.create(inputFor(userId, order));
  };
  const toRead = async () => {
    await create(hotUser);
    await hot.markAllRead();
  };
  let seq = 0;
  // Marks and deletions go last: they change what the others read.
  const operations: Readonly<Record<string, Operation>> = {
    "create, random user": { run: () => create(user()) },
    "create, large inbox": { run: () => create(hotUser) },
    "list of 20, random user": { run: () => service.inbox(user()).list({ limit: PAGE }) },
    "list of 20, large inbox": { run: () => hot.list({ limit: PAGE }) },
    "list of 20 by cursor, half way down": { run: () => hot.list({ limit: PAGE, cursor: nextCursor ?? "none" }) },
    "list of 20 unread, large inbox": { run: () => hot.list({ limit: PAGE, status: "unread" }) },
    "list of 20 of a type after a create, large inbox": {
      before: () => create(hotUser),
      run: () => hot.list({ limit: PAGE, type: typeOf(0) }),
    },
    "counts, large inbox": { run: () => hot.counts() },
    [`claim and end ${BATCH} deliveries`]: { before: () => enqueue(BATCH), run: () => service.runDue() },
    "mark one read, large inbox": {
      run() {
        seq += 1;
        return hot.markRead({ seq });
      },
    },
    "mark all read, large inbox": { before: () => create(hotUser), run: () => hot.markAllRead() },
    "delete all read, large inbox": { before: toRead, run: () => hot.removeRead() },
  };
  const medians: Record<string, number> = {};
  for (const [name, operation] of Object.entries(operations)) {
    medians[name] = await medianOf(operation);
  }
  return medians;
}

async function medianOf({ before, run }: Operation): Promise<number> {
  const micros: number[] = [];
  const stopMs = performance.now() + AT_MOST_MS;
  for (let index = 0; index < WARM_UP + SAMPLES && performance.now() < stopMs; index += 1) {
    await before?.();
    const startedMs = performance.now();
    await run();
    micros.push((performance.now() - startedMs) * 1_000);
  }
  return estimate(micros.length > 2 * WARM_UP ? micros.slice(WARM_UP) : micros).median;
}

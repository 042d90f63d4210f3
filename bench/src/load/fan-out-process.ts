/**
 * A process that creates one notification for very many users, and watches itself meanwhile.
 *
 * Its argument is the path of a SQLite file or the URL of a PostgreSQL database. Task: `{ users, hasMail }`, answered with
 * `{ longestMs, p99Ms, longestWithQueueMs, mostCpuMs, heapMb }`. With mail, a tenth of the users do not want it, and nothing is delivered. With the task `{ topic }`, it
 * is for the subscribers of a topic, and the answer has `times`: how long a create for a topic takes, beside one to a single user. With `isCollecting`, it looks
 * what it holds instead, and answers with `{ heldMb }`.
 */
import { type Channel, NotificationService } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import Database from "better-sqlite3";
import pg from "pg";
import { estimate } from "../harness/statistics.ts";
import { untilWritten } from "../settings/fan-out.ts";
import { usedHeap, usedOldHeap, watchHeld } from "../settings/heap.ts";
import { watchBlocks } from "../settings/longest-block.ts";
import { numberIn } from "../settings/postgres.ts";
import { randomFrom, shuffled } from "../settings/random.ts";
import { numberOf } from "../settings/sqlite.ts";
import { usersOf } from "../settings/users.ts";

const SAMPLE_MS = 10;
const LEFT = `SELECT count(*) FROM (
  SELECT 1 FROM belfry_fan_outs UNION ALL SELECT 1 FROM belfry_audiences WHERE source IS NOT NULL LIMIT 1) c`;

const [, , target = ""] = process.argv;
const isPostgres = target.startsWith("postgres");

interface Opened {
  readonly storage: Storage;
  /** How many chunks are left to be written; at most 1. */
  left(): number | Promise<number>;
}

function open(): Opened {
  if (isPostgres) {
    const pool = new pg.Pool({ connectionString: target, max: 2 });
    const watching = new pg.Pool({ connectionString: target, max: 1 });
    return { storage: postgresStorage(pool), left: () => numberIn(watching, LEFT) };
  }
  let watching: Database.Database | null = null;
  const left = () => {
    watching ??= new Database(target, { readonly: true });
    return numberOf(watching, LEFT);
  };
  return { storage: sqliteStorage(target), left };
}

const { storage, left } = open();
const email: Channel = {
  name: "email",
  retryDelaysMs: [],
  timeoutMs: 1_000,
  invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
  deliver: async () => ({ status: "sent", provider: "email" }),
};
const service = new NotificationService({
  storage,
  channels: [email],
  directory: (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }])),
  delivery: { worker: false },
});

/** One user of so many has switched e-mail off. */
const OPTED_OUT = 10;

/** What is created, for whom. */
interface Task {
  readonly users: number;
  readonly hasMail: boolean;
  readonly topic?: string;
  readonly isCollecting: boolean;
}

/** Creates once to many, and looks what is held until everything is written. */
async function held(createOnce: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  await usedHeap();
  const end = watchHeld();
  await createOnce();
  await untilWritten(left);
  return { heldMb: end() / 2 ** 20 };
}

/** Creates once to many, and watches the event loop until everything is written, and the heap with what nobody holds any more. */
async function watched(createOnce: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  await usedHeap();
  const idle = usedOldHeap();
  let peak = idle;
  const sampling = setInterval(() => {
    peak = Math.max(peak, usedOldHeap());
  }, SAMPLE_MS);
  const blocks = watchBlocks();
  await createOnce();
  await untilWritten(left);
  clearInterval(sampling);
  return { ...(await blocks()), heapMb: (peak - idle) / 2 ** 20 };
}

/** The creates that do not count, and those that do. */
const WARM_UP = 5;
const CREATES = 40;

/**
 * Creates for a topic. Before, by turns, for a smaller one and for a single user: whatever the size of a topic that is written later, its create
 * does the same, and one alone would tell little.
 */
async function createForTopic(topic: string, isCollecting: boolean): Promise<object> {
  await service.start();
  const title = "Maintenance tonight";
  const createOnce = () => service.create({ topic, title });
  if (isCollecting) {
    return held(createOnce);
  }
  const single: number[] = [];
  const many: number[] = [];
  for (let times = 0; times < WARM_UP + CREATES; times += 1) {
    single.push(await timeOf(() => service.create({ to: "somebody", title })));
    many.push(await timeOf(() => service.create({ topic: `${topic}:few`, title })));
    await untilWritten(left);
  }
  const figures = await watched(createOnce);
  return { ...figures, times: estimate(many.slice(WARM_UP)).median / estimate(single.slice(WARM_UP)).median };
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

async function create({ users, hasMail, isCollecting }: Task): Promise<object> {
  await service.start();
  const to = shuffled(usersOf(users), randomFrom(17));
  for (let place = 0; hasMail && place < users; place += OPTED_OUT) {
    await service.preferences.set(to[place] ?? "", { all: true, channel: "email" }, "off");
  }
  const createOnce = () => service.create({ to, title: "Maintenance tonight", ...(hasMail && { channels: ["email"] }) });
  return isCollecting ? held(createOnce) : watched(createOnce);
}

process.on("message", async (task: Task) => {
  const { topic, isCollecting } = task;
  process.send?.(await (topic === undefined ? create(task) : createForTopic(topic, isCollecting)));
});

import { native } from "@belfry/core/contracts";
import type Database from "better-sqlite3";
import type { Comparison, Scale } from "../harness/row.ts";
import { Stopwatch } from "../harness/stopwatch.ts";
import { fillSqlite, fillUsualSqlite } from "./fill-sqlite.ts";
import {
  belfryServer,
  carefulServer,
  type Endpoint,
  type Framework,
  HELLO_PATH,
  helloServer,
  portOf,
  unchangedServer,
  usualServer,
} from "./http-servers.ts";
import { type HttpRequestLine, HttpSides } from "./http-sides.ts";
import { randomFrom, shuffled } from "./random.ts";
import { RawSqliteReader } from "./raw-sqlite-reader.ts";
import { numberOf, SqliteSetting } from "./sqlite.ts";
import { READS_TO_WARM, type Readers } from "./sqlite-lists.ts";
import { eachUser, randomUser, usersOf } from "./users.ts";

const BASE = "/api/v1/notifications";
const PAGE = 20;
const REQUESTS = 40_000;

/** A read of the inbox over HTTP. */
export interface HttpRead {
  readonly framework: Framework;
  readonly path: string;
  readonly readers: Readers;
  endpoint(usual: Database.Database, reader: RawSqliteReader): Endpoint;
}

/** The list of 20. */
export function listEndpoint(usual: Database.Database, reader: RawSqliteReader): Endpoint {
  return {
    method: "get",
    path: BASE,
    usual: ({ userId }) => {
      const rows = usual.prepare("SELECT * FROM notifications WHERE user_id = ? ORDER BY created_at DESC LIMIT ?").all(userId, PAGE);
      const count = usual.prepare("SELECT count(*) AS unread FROM notifications WHERE user_id = ? AND is_read = 0").get(userId);
      return { notifications: (rows as { data: string }[]).map((row) => ({ ...row, data: JSON.parse(row.data) })), ...(count as object) };
    },
    careful: ({ userId }) => reader.listJson(userId, PAGE),
  };
}

/** The path of {@link listEndpoint}. */
export const LIST_PATH = `${BASE}?limit=${PAGE}`;

/** The unread count. */
export function countEndpoint(usual: Database.Database, reader: RawSqliteReader): Endpoint {
  return {
    method: "get",
    path: COUNT_PATH,
    usual: ({ userId }) =>
      usual.prepare("SELECT count(*) AS count FROM notifications WHERE user_id = ? AND is_read = 0").get(userId) as { count: number },
    careful: ({ userId }) => ({ text: `{"count":${reader.unread(userId)}}` }),
  };
}

/** The path of {@link countEndpoint}. */
export const COUNT_PATH = `${BASE}/unread-count`;

/** Belfry mounted in a framework beside handlers of that framework by hand. */
export async function compareHttpReads({ framework, path, readers, endpoint }: HttpRead, scale: Scale): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const users = usersOf(scale.of(readers.users));
  const filling = { items: users.length * readers.itemsEach, users, isEven: true };
  const service = await setting.belfry("belfry.db");
  fillSqlite(setting.raw("belfry.db"), filling);
  const usual = setting.raw("usual.db");
  fillUsualSqlite(usual, filling);
  const byHand = endpoint(usual, new RawSqliteReader(setting.raw("belfry.db")));
  const isWarm = readers.order === "random";
  const [first, next] = [eachUser(users), isWarm ? randomUser(users) : eachUser(users)];
  const toWarm = isWarm ? READS_TO_WARM * users.length : 0;
  const requests = Array.from({ length: toWarm + REQUESTS }, (_, turn) => ({
    method: "GET",
    path,
    userId: turn < toWarm ? first() : next(),
  }));
  const http = await HttpSides.open([
    { name: "belfry", server: await belfryServer(framework, service), requests, hasSameBytes: true },
    { name: "usual", server: await usualServer(framework, byHand), requests },
    { name: "careful", server: await carefulServer(framework, byHand), requests, hasSameBytes: true },
  ]);
  for (const side of isWarm ? http.sides : []) {
    await side.run(toWarm, new Stopwatch(null));
  }
  const close = async () => {
    http.close();
    await setting.close();
  };
  return { sides: http.sides, knobs: setting.knobs("belfry.db", "usual.db"), close };
}

const COUNTS_PATH = "/api/belfry/v1/inbox/counts";
const POLLERS = 1_000;

/** A poll of the counts by who has the answer already, beside a server that does nothing, and one by hand that reads the counts. */
export async function compareUnchangedPolls(framework: Framework, scale: Scale): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const users = usersOf(POLLERS);
  const service = await setting.belfry("belfry.db");
  fillSqlite(setting.raw("belfry.db"), { items: scale.of(100_000), users, isEven: true });
  const server = await belfryServer(framework, service, native());
  const reader = new RawSqliteReader(setting.raw("belfry.db"));
  const tagOf = (userId: string) => {
    const { epoch, lastSeq, rev } = reader.countsAndLook(userId);
    return `"${epoch}.${lastSeq}.${rev}"`;
  };
  const [polls, byHand]: readonly [HttpRequestLine[], HttpRequestLine[]] = [[], []];
  for (const userId of users) {
    const { headers } = await fetch(`http://127.0.0.1:${portOf(server)}${COUNTS_PATH}`, { headers: { "x-user": userId } });
    const poll = { method: "GET", path: COUNTS_PATH, userId };
    polls.push({ ...poll, headers: { "if-none-match": headers.get("etag") ?? "" } });
    byHand.push({ ...poll, headers: { "if-none-match": tagOf(userId) } });
  }
  const hello = users.map((userId) => ({ method: "GET", path: HELLO_PATH, userId }));
  const http = await HttpSides.open([
    { name: "belfry", server, requests: shuffled(polls, randomFrom(5)), status: 304 },
    { name: "hello", server: await helloServer(framework), requests: hello },
    {
      name: "careful",
      server: await unchangedServer(framework, COUNTS_PATH, tagOf),
      requests: shuffled(byHand, randomFrom(5)),
      status: 304,
    },
  ]);
  const close = async () => {
    http.close();
    await setting.close();
  };
  return { sides: http.sides, knobs: setting.knobs("belfry.db"), close };
}

interface Named {
  readonly id: string;
  readonly userId: string;
}

/** Marks one notification after another read, each by its id. */
export async function compareHttpMarks(framework: Framework, scale: Scale): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const users = usersOf(1_000);
  // Every request marks another one, so there have to be more than a run asks.
  const filling = { items: scale.of(200_000), users, readShare: 0 };
  const service = await setting.belfry("belfry.db", { durability: "normal" });
  const own = setting.raw("belfry.db", "normal");
  fillSqlite(own, filling);
  const usual = setting.raw("usual.db", "normal");
  fillUsualSqlite(usual, filling);
  const requestsFor = (rows: readonly Named[]) =>
    shuffled(rows, randomFrom(5)).map(({ id, userId }) => ({ method: "PATCH", path: `${BASE}/${id}/read`, userId }));
  const named = (database: Database.Database, query: string) => requestsFor(database.prepare(query).all() as Named[]);
  const http = await HttpSides.open([
    {
      name: "belfry",
      server: await belfryServer(framework, service),
      requests: named(
        own,
        "SELECT n.id, i.user_id AS userId FROM belfry_inbox_items i JOIN belfry_notifications n ON n.pk = i.notification_pk ORDER BY n.pk",
      ),
      work: () => ({ read: numberOf(own, "SELECT count(*) FROM belfry_inbox_items WHERE read_at IS NOT NULL") }),
    },
    {
      name: "usual",
      server: await usualServer(framework, markEndpoint(usual)),
      requests: named(usual, "SELECT id, user_id AS userId FROM notifications ORDER BY created_at"),
      work: () => ({ read: numberOf(usual, "SELECT count(*) FROM notifications WHERE is_read = 1") }),
    },
  ]);
  const close = async () => {
    http.close();
    await setting.close();
  };
  return { sides: http.sides, knobs: setting.knobs("belfry.db", "usual.db"), close };
}

function markEndpoint(usual: Database.Database): Endpoint {
  return {
    method: "patch",
    path: `${BASE}/:id/read`,
    usual: ({ userId, id }) => {
      usual
        .prepare("UPDATE notifications SET is_read = 1, read_at = ? WHERE id = ? AND user_id = ? AND is_read = 0")
        .run(new Date().toISOString(), id, userId);
      const row = usual.prepare("SELECT * FROM notifications WHERE id = ? AND user_id = ?").get(id, userId) as { data: string } | undefined;
      return row === undefined ? null : { ...row, data: JSON.parse(row.data) };
    },
  };
}

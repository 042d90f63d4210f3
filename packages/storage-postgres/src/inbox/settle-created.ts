import type { CreatedItem, Owner } from "@belfry/core";
import type { AlsoChanged, NewNotification } from "@belfry/core/storage";
import { firstActors, isGrouped, WOKEN_AT_ONCE, withAlso } from "@belfry/storage-sql";
import { joining, type Session } from "../database/connection.ts";
import { lists, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { UNREAD } from "./groups.ts";
import { prepareMark } from "./mark.ts";
import { type NewItem, prepareReplace, type Together } from "./replace.ts";

/** Settles the new items of entries: see {@link prepareSettleCreated}. */
export function prepareSettleEntries(tables: TableNames) {
  const settle = prepareSettleCreated(tables);
  return async (
    session: Session,
    entries: readonly NewNotification[],
    written: readonly (readonly CreatedItem[])[],
  ): Promise<readonly (readonly CreatedItem[])[]> => {
    const created = entries.map(({ notification }, index) =>
      isGrouped(notification) ? (written[index] ?? []).map((item) => ({ item, notification })) : [],
    );
    const also = new Map<CreatedItem, readonly AlsoChanged[]>();
    for (const round of roundsOf(created)) {
      for (const [item, changed] of await settle(session, round)) {
        also.set(item, changed);
      }
    }
    return written.map((items) => items.map((item) => withAlso(item, also.get(item))));
  };
}

/**
 * The new items of entries in rounds, so that the result is that of the entries one after another: an item that replaces others does
 * so before the next one comes into the same inbox.
 */
function roundsOf(created: readonly (readonly NewItem[])[]): readonly (readonly NewItem[])[] {
  const rounds: NewItem[][] = [];
  const last = new Map<string, { readonly round: number; readonly replaces: boolean }>();
  for (const items of created) {
    const keys = items.map((one) => JSON.stringify(ownerOf(one)));
    const replaces = items.some(({ notification }) => notification.replaceKey !== null);
    const round = keys.reduce((latest, key) => {
      const before = last.get(key);
      return before === undefined ? latest : Math.max(latest, before.round + Number(replaces || before.replaces));
    }, 0);
    for (const key of keys) {
      last.set(key, { round, replaces });
    }
    const others = rounds[round] ?? [];
    others.push(...items);
    rounds[round] = others;
  }
  return rounds;
}

/**
 * Adds new items to their groups, and removes those that they replace, inside the transaction that wrote them and so holds their
 * inboxes. It answers what else they changed.
 */
export function prepareSettleCreated(tables: TableNames) {
  const addToGroups = prepareAddToGroups(tables);
  const replace = prepareReplace(tables);
  const mark = prepareMark(tables);
  const restoring = prepareRestoring();
  return async (session: Session, created: readonly NewItem[]): Promise<ReadonlyMap<CreatedItem, readonly AlsoChanged[]>> => {
    const also = new Map<CreatedItem, readonly AlsoChanged[]>();
    const note = ({ item }: NewItem, change: AlsoChanged) => also.set(item, [...(also.get(item) ?? []), change]);
    const within = joining(session);
    await restoring(session, await addToGroups(session, created), async ({ by, seqs }) => {
      note(by, { ...(await mark(ownerOf(by), refsOf(seqs), { mark: "woken", at: by.notification.createdAt })(within)), change: "woken" });
    });
    const keys = together(created, ({ replaceKey }) => replaceKey);
    for (const [{ last }, change] of await replace(session, keys)) {
      note(last, change);
    }
    return also;
  };
}

/** Does work of each that leaves the transaction, which may be the host's, the lock timeout that it had. */
function prepareRestoring() {
  const read = statement<[timeout: string]>("lock_timeout", "SELECT current_setting('lock_timeout')");
  const restore = statement<[string]>("restore_lock_timeout", "SELECT set_config('lock_timeout', $1, true)");
  return async (session: Session, all: readonly Displaced[], work: (one: Displaced) => Promise<void>): Promise<void> => {
    if (all.length === 0) {
      return;
    }
    const [[timeout] = ["0"]] = await session.rows(read, []);
    for (const one of all) {
      await work(one);
    }
    await session.rows(restore, [timeout]);
  };
}

/** Items of one inbox that change because another one came. */
interface Displaced {
  readonly by: NewItem;
  readonly seqs: readonly number[];
}

function ownerOf({ item: { userId }, notification: { tenant } }: NewItem): Owner {
  return { tenant, userId };
}

function refsOf(seqs: readonly number[]) {
  return seqs.map((seq) => ({ seq }));
}

function together(created: readonly NewItem[], nameOf: (notification: NewItem["notification"]) => string | null): readonly Together[] {
  const named = created.flatMap((one) => {
    const name = nameOf(one.notification);
    return name === null ? [] : [{ one, name }];
  });
  const sets = Map.groupBy(named, ({ one, name }) => JSON.stringify([one.notification.tenant, one.item.userId, name]));
  return [...sets.values()].flatMap((set) => {
    const all = set.map(({ one }) => one).toSorted((left, right) => left.item.seq - right.item.seq);
    const last = all.at(-1);
    return last === undefined ? [] : [{ ...ownerOf(last), name: set[0]?.name ?? "", seq: last.item.seq, last, all }];
  });
}

type GroupRow = readonly [place: number, readRev: number, total: number, unread: number, actors: string | null];

/** Counts new items in their groups. It answers the snoozed items of groups that had no active one. */
function prepareAddToGroups({ inboxCounters, inboxGroups, inboxItems }: TableNames) {
  const owner = "tenant = k.tenant AND user_id = k.user_id";
  const given = "unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k(tenant, user_id, group_name, place)";
  const find = statement<GroupRow>(
    "groups_of_new",
    `SELECT k.place::int, c.read_rev, coalesce(g.total, 0), coalesce(${UNREAD}, 0), g.actors FROM ${given}
    CROSS JOIN LATERAL (SELECT read_rev FROM ${inboxCounters} WHERE ${owner} OFFSET 0) c
    LEFT JOIN LATERAL (SELECT * FROM ${inboxGroups} WHERE ${owner} AND group_name = k.group_name OFFSET 0) g ON true`,
  );
  const write = statement<[]>(
    "write_groups",
    `INSERT INTO ${inboxGroups} (tenant, user_id, group_name, newest_seq, total, unread, read_rev, actors)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[])
    ON CONFLICT (tenant, user_id, group_name) DO UPDATE
    SET newest_seq = excluded.newest_seq, total = excluded.total, unread = excluded.unread, read_rev = excluded.read_rev, actors = excluded.actors`,
  );
  // The newest ones wake at once; the last number of each group says that there are more.
  const snoozed = statement<[place: number, seq: number, isMore: boolean]>(
    "snoozed_of_groups",
    `SELECT k.place::int, i.seq, i.number > ${WOKEN_AT_ONCE} FROM ${given} CROSS JOIN LATERAL (
      SELECT seq, row_number() OVER (ORDER BY seq DESC) AS number FROM ${inboxItems}
      WHERE ${owner} AND group_name = k.group_name AND snoozed_until IS NOT NULL ORDER BY seq DESC LIMIT ${WOKEN_AT_ONCE + 1}
    ) i ORDER BY i.seq`,
  );
  const wakeLater = prepareWakeLater({ inboxCounters, inboxGroups });
  return async (session: Session, created: readonly NewItem[]): Promise<readonly Displaced[]> => {
    const groups = together(created, ({ group }) => group);
    if (groups.length === 0) {
      return [];
    }
    const found = new Map((await session.rows(find, lists(groups, "tenant", "userId", "name"))).map((row) => [row[0], row]));
    const rows = groups.map((group, index) => {
      const [, readRev = 0, total = 0, unread = 0, actors = null] = found.get(index + 1) ?? [];
      const before = actors === null ? [] : (JSON.parse(actors) as readonly string[]);
      const came = group.all.map(({ notification: { actor } }) => actor);
      const more = group.all.length;
      return {
        ...group,
        before: total,
        readRev,
        total: total + more,
        unread: unread + more,
        actors: JSON.stringify(firstActors(before, came)),
      };
    });
    await session.rows(write, lists(rows, "tenant", "userId", "name", "seq", "total", "unread", "readRev", "actors"));
    const begun = rows.filter(({ before }) => before === 0);
    const asleep = begun.length === 0 ? [] : await session.rows(snoozed, lists(begun, "tenant", "userId", "name"));
    await wakeLater(
      session,
      begun.filter((_, index) => asleep.some(([place, , isMore]) => isMore && place === index + 1)),
    );
    return displacedBy(
      begun,
      asleep.filter(([, , isMore]) => !isMore),
    );
  };
}

/** Notes that the snoozed items of groups are due from now on. */
function prepareWakeLater({ inboxCounters, inboxGroups }: Pick<TableNames, "inboxCounters" | "inboxGroups">) {
  const given = "unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS k(tenant, user_id, group_name, at)";
  const note = statement<[]>(
    "wake_groups_later",
    `WITH due AS (
      UPDATE ${inboxGroups} g SET due_at = k.at FROM ${given}
      WHERE g.tenant = k.tenant COLLATE "C" AND g.user_id = k.user_id COLLATE "C" AND g.group_name = k.group_name COLLATE "C"
    )
    UPDATE ${inboxCounters} c SET due_at = least(c.due_at, k.at) FROM ${given}
    WHERE c.tenant = k.tenant COLLATE "C" AND c.user_id = k.user_id COLLATE "C"`,
  );
  return async (session: Session, groups: readonly Together[]): Promise<void> => {
    if (groups.length > 0) {
      const rows = groups.map((group) => ({ ...group, at: group.last.notification.createdAt.toISOString() }));
      await session.rows(note, lists(rows, "tenant", "userId", "name", "at"));
    }
  };
}

function displacedBy(
  sets: readonly Together[],
  rows: readonly (readonly [place: number, seq: number, ...rest: unknown[]])[],
): readonly Displaced[] {
  const byPlace = Map.groupBy(rows, ([place]) => place);
  return sets.flatMap(({ last }, index) => {
    const seqs = (byPlace.get(index + 1) ?? []).map(([, seq]) => seq);
    return seqs.length === 0 ? [] : [{ by: last, seqs: seqs.toSorted((one, other) => one - other) }];
  });
}

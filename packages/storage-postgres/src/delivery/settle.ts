import type { Delivery } from "@belfry/core";
import type { ChainSelection, Completed, Completion, Decide, LoadedSend, SettleChanges } from "@belfry/core/storage";
import {
  claimedKeys,
  type DeliveryRow,
  loadedOf,
  NAMED,
  PLANNED,
  progressOf,
  reopened,
  suppressingTexts,
  suppressingValues,
  type TrackingRow,
} from "@belfry/storage-sql";
import type { Connection, Session } from "../database/connection.ts";
import { recordset } from "../database/fields.ts";
import { keys } from "../database/leases.ts";
import { DIALECT } from "../database/sql.ts";
import { type JsonRow, milliseconds, type StorageTime, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { addToSums, primarySettled } from "./attempt-sums.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { distinct } from "./distinct.ts";
import { type ChainKey, isItemRead, prepareSelectChains } from "./read-sends.ts";
import { RECORDS } from "./rows.ts";

/**
 * Locks and loads chains, calls `decide` on them, and writes its decisions. It locks the trackings first, in one order,
 * so that two calls never decide on chains of one notification at once. It skips chains that are due by time if another
 * transaction holds them.
 *
 * Whatever changes deliveries locks in one order: the audience and the fan-out with its parts, throttles, inboxes that get an item, trackings
 * by notification, deliveries with their entries, then digests. So two of them never wait for each other, as a digest and the delivery that
 * carries it would. A deletion takes inboxes last: its first step has ended the fan-out, so that nobody writes items meanwhile.
 */
export function prepareSettle(tables: TableNames, time: StorageTime) {
  const selectChains = prepareSelectChains(tables);
  const load = prepareLoad(tables);
  const save = prepareSave(tables);
  const hold = prepareHoldDigest(tables);
  return (selection: ChainSelection, at: Date, decide: Decide) => async (connection: Connection) => {
    const keys = await selectChains(connection, selection, time(at));
    if (keys.length === 0 && selection.kind !== "digest") {
      return;
    }
    const mayLeave = selection.kind === "waiting";
    await connection.transaction(async (session) => {
      const { loaded, now } = await load(session, keys, { mayLeave, at: time(at) });
      const heldAt = selection.kind === "digest" ? await hold(session, selection, time(at)) : null;
      if (selection.kind === "digest" && heldAt === null) {
        return;
      }
      if (loaded.length > 0 || heldAt !== null) {
        const decidedAt = heldAt ?? now;
        await save(session, { loaded, changes: decide(loaded, decidedAt), now: decidedAt });
      }
    });
  };
}

/** Locks a digest whose lease its owner holds, and answers the time; null if it lost the lease. */
function prepareHoldDigest({ digests }: TableNames) {
  const held = statement<[nowMs: number]>(
    "hold_digest",
    `SELECT ${milliseconds(timeOf("$4"))} FROM ${digests} WHERE id = $1 AND lease_owner = $2 AND fence = $3 FOR UPDATE`,
  );
  type Held = Extract<ChainSelection, { readonly kind: "digest" }>;
  return async (session: Session, { id, owner, fence }: Held, at: string | null): Promise<Date | null> => {
    const [row] = await session.rows(held, [id, owner, fence, at]);
    return row === undefined ? null : new Date(row[0]);
  };
}

/**
 * Writes the results of claimed deliveries whose leases hold, in one statement. It locks trackings first, like {@link prepareSettle},
 * but leaves to that those that another transaction holds: after a wait, it would not see what was read meanwhile.
 */
export function prepareComplete(tables: TableNames, time: StorageTime) {
  const { deliveries, deliveryAttempts, trackings } = tables;
  const { delivery, attempt, tracking } = RECORDS.fields;
  const member = (of: string) => (key: string) => `${of}."${key}"`;
  // Moves times decided as of $3 to the database's now.
  const moved = (of: string) => (key: string) =>
    key.endsWith("At") && key !== "updatedAt" ? `${of}."${key}" + clock.passed` : `${of}."${key}"`;
  // With an equation, it would walk over all leases for each delivery.
  const isOwn = (owner: string) => `coalesce(${owner}, '') = $1`;
  // $4 to $7 are lists: the ids of deliveries, and which of the values in $8, $9 and $10 are each one's own; $11 and $12 are the keys of those
  // whose keys are known. Everything is looked up by key, one by one: a plan made while the tables were young would read all of them.
  const complete = statement<[id: string | null, nowMs: number]>(
    "complete_deliveries",
    `WITH clock AS MATERIALIZED (SELECT now, now - $3::timestamptz AS passed FROM (SELECT ${timeOf("$2")} AS now) c),
    held AS MATERIALIZED (
      SELECT k.*, t.since FROM (
        SELECT d.pk, k.id, k.ending, k.tried, k.progress, d.notification_pk
        FROM unnest($4::uuid[], $5::int[], $6::int[], $7::int[], $11::bigint[], $12::bigint[]) AS k(id, ending, tried, progress, pk, notification_pk)
        CROSS JOIN LATERAL (
          SELECT k.pk, k.notification_pk WHERE k.pk IS NOT NULL
          UNION ALL
          SELECT pk, notification_pk FROM ${deliveries} WHERE k.pk IS NULL AND id = k.id AND ${isOwn("lease_owner")}
        ) d
        ORDER BY d.notification_pk
      ) k
      CROSS JOIN LATERAL (
        SELECT coalesce(scheduled_at, created_at) AS since FROM ${trackings} WHERE notification_pk = k.notification_pk FOR NO KEY UPDATE SKIP LOCKED) t
    ),
    d AS (
      UPDATE ${deliveries} d SET ${delivery.assignments(moved("e"), NAMED)}
      FROM ${keys("held")} JOIN json_to_recordset($8) AS e(place int, ${recordset(delivery)}) ON e.place = k.ending CROSS JOIN clock
      WHERE d.pk = k.pk AND d.id = k.id AND ${isOwn("d.lease_owner")} AND d.fence = e.fence AND NOT ${isItemRead(tables)}
      RETURNING d.pk, d.id, d.notification_pk, d.tenant, d.channel, d.chain, d.is_fallback, k.since, k.tried, k.progress
    ),
    tried (delivery_pk, tenant, channel, since, ${attempt.names}) AS MATERIALIZED (
      SELECT d.pk, d.tenant, d.channel, CASE WHEN d.is_fallback THEN least(v."startedAt", ${primarySettled(tables)}) ELSE d.since END,
        ${attempt.members(member("v"))}
      FROM d JOIN json_to_recordset($9) AS v(place int, ${recordset(attempt)}) ON v.place = d.tried
    ),
    a AS (INSERT INTO ${deliveryAttempts} (delivery_pk, ${attempt.names}) SELECT delivery_pk, ${attempt.names} FROM tried),
    summed AS (${addToSums(tables, "tried")}),
    t AS (
      UPDATE ${trackings} t SET ${tracking.assignments((key) => (key === "updatedAt" ? "clock.now" : moved("v")(key)), PLANNED)}
      FROM d JOIN json_to_recordset($10) AS v(place int, ${recordset(tracking)}) ON v.place = d.progress CROSS JOIN clock
      WHERE t.notification_pk = d.notification_pk
    )
    SELECT d.id, ${milliseconds("clock.now")} FROM clock LEFT JOIN d ON true`,
  );
  const endings = distinct(delivery, NAMED);
  const tries = distinct(attempt, []);
  const progresses = distinct(tracking, PLANNED);
  return (owner: string, completion: Completion, at: Date) => {
    const { deliveries: changed, attempts, sends } = completion;
    const known = claimedKeys(completion);
    return async (session: Session): Promise<Completed> => {
      const ended = endings(changed);
      const tried = tries(attempts);
      const progressed = progresses(sends.map((state) => progressOf(state, at)));
      const tryOf = new Map(attempts.map(({ deliveryId }, index) => [deliveryId, tried.places[index]]));
      const progressOfSend = new Map(sends.map(({ id }, index) => [id, progressed.places[index]]));
      const rows = await session.rows(complete, [
        ...[owner, time(at), at.toISOString()],
        ...[changed.map(({ id }) => id), ended.places, changed.map(({ id }) => tryOf.get(id))],
        ...[changed.map(({ notificationId }) => progressOfSend.get(notificationId)), ended.values, tried.values, progressed.values],
        ...[known.map((keys) => keys?.pk), known.map((keys) => keys?.notificationPk)],
      ]);
      return { ids: new Set(rows.flatMap(([id]) => id ?? [])), now: new Date(rows[0]?.[1] ?? at) };
    };
  };
}

/** Loads chains, with the trackings of their notifications locked. */
export function prepareLoad(tables: TableNames) {
  const { trackings, notifications, deliveries } = tables;
  const lock = (operation: string, skip: string) =>
    statement<JsonRow<TrackingRow & { readonly id: string }>>(
      operation,
      `SELECT to_json(r) FROM (
        SELECT n.id, ${RECORDS.tracking} FROM ${trackings} t JOIN ${notifications} n ON n.pk = t.notification_pk
        WHERE t.notification_pk = ANY ($1::bigint[]) ORDER BY t.notification_pk FOR UPDATE OF t ${skip}) r`,
    );
  const lockAll = lock("lock_trackings", "");
  const lockFree = lock("lock_free_trackings", "SKIP LOCKED");
  const chainsOf = statement<[row: DeliveryRow & { readonly isRead: boolean }, nowMs: number]>(
    "load_chains",
    `SELECT to_json(r), ${milliseconds(timeOf("$3"))} FROM (
      SELECT ${RECORDS.delivery}, ${isItemRead(tables)} AS "isRead"
      FROM (SELECT DISTINCT pk, chain FROM unnest($1::bigint[], $2::int[]) AS k(pk, chain)) k
      CROSS JOIN LATERAL (SELECT * FROM ${deliveries} WHERE notification_pk = k.pk AND chain = k.chain FOR UPDATE) d
      CROSS JOIN LATERAL (SELECT id FROM ${notifications} WHERE pk = k.pk OFFSET 0) n
      ORDER BY d.notification_pk, d.chain, d.is_fallback, d.pk) r`,
  );
  return async (
    session: Session,
    keys: readonly ChainKey[],
    { mayLeave, at }: { readonly mayLeave: boolean; readonly at: string | null },
  ) => {
    const pks = [...new Set(keys.map(([pk]) => pk))];
    const locked = await session.rows(mayLeave ? lockFree : lockAll, [pks]);
    const held = new Set(locked.map(([row]) => row.notificationPk));
    const own = keys.filter(([pk]) => held.has(pk));
    const rows = await session.rows(chainsOf, [own.map(([pk]) => pk), own.map(([, chain]) => chain), at]);
    const nowMs = rows.at(-1)?.[1] ?? 0;
    const byNotification = Map.groupBy(
      rows.map(([row]) => row),
      ({ notificationPk }) => notificationPk,
    );
    const loaded = locked.map(([tracking]) => loadedOf(tracking, byNotification.get(tracking.notificationPk) ?? []));
    return { loaded: loaded.filter((send) => send.chains.length > 0), now: new Date(nowMs) };
  };
}

interface Decided {
  readonly loaded: readonly LoadedSend[];
  readonly changes: SettleChanges;
  readonly now: Date;
}

/** Writes the changes to loaded chains. */
export function prepareSave(tables: TableNames) {
  const { deliveries, deliveryAttempts, trackings, notifications } = tables;
  const writeAudit = prepareWriteAudit(tables);
  const { delivery, attempt, tracking } = RECORDS.fields;
  const member = (key: string) => `e."${key}"`;
  // Names the ids twice: the planner, which cannot know how many rows JSON has, then looks them up and does not read the table.
  const saveAll = statement<[]>(
    "save_chains",
    `WITH saved AS (
      UPDATE ${deliveries} d SET ${delivery.assignments(member, NAMED)}
      FROM json_to_recordset($1) AS e(${recordset(delivery)}) WHERE d.id = e.id AND d.tenant = e.tenant AND d.id = ANY ($2::uuid[])
    ),
    tried (delivery_pk, tenant, channel, since, ${attempt.names}) AS MATERIALIZED (
      SELECT d.pk, d.tenant, d.channel, CASE WHEN d.is_fallback THEN least(e."startedAt", ${primarySettled(tables)})
          ELSE (SELECT coalesce(t.scheduled_at, t.created_at) FROM ${trackings} t WHERE t.notification_pk = d.notification_pk) END,
        ${attempt.members(member)}
      FROM json_to_recordset($3) AS e("deliveryId" uuid, ${recordset(attempt)}) JOIN ${deliveries} d ON d.id = e."deliveryId"
      WHERE d.id = ANY ($4::uuid[])
    ),
    made AS (INSERT INTO ${deliveryAttempts} (delivery_pk, ${attempt.names}) SELECT delivery_pk, ${attempt.names} FROM tried),
    summed AS (${addToSums(tables, "tried")})
    UPDATE ${trackings} t SET ${tracking.assignments(member, PLANNED)}
    FROM json_to_recordset($5) AS e(id uuid, ${recordset(tracking)})
    JOIN ${notifications} n ON n.tenant = e.tenant AND n.id = e.id WHERE t.notification_pk = n.pk`,
  );
  const saveDigests = prepareSaveDigests(tables);
  const suppress = prepareSuppress(tables);
  return async (session: Session, { loaded, changes, now }: Decided): Promise<void> => {
    const at = now.toISOString();
    if (changes.deliveries.length + changes.attempts.length + changes.sends.length > 0) {
      await session.rows(saveAll, [
        ...[JSON.stringify(changes.deliveries satisfies readonly Delivery[]), changes.deliveries.map(({ id }) => id)],
        ...[JSON.stringify(changes.attempts), changes.attempts.map(({ deliveryId }) => deliveryId)],
        JSON.stringify(changes.sends.map((state) => progressOf(state, now))),
      ]);
    }
    if (changes.digests !== undefined && changes.digests.length > 0) {
      await saveDigests(session, changes.digests);
    }
    await suppress(session, changes.suppressions ?? [], at);
    const tenants = new Map(loaded.map(({ state }) => [state.id, state.tenant]));
    const audit = changes.audit.map((entry) => ({ ...entry, tenant: tenants.get(entry.notificationId) ?? "" }));
    await writeAudit(session, audit, at);
  };
}

/** Writes what becomes of addresses. */
function prepareSuppress(tables: TableNames) {
  const statements = suppressingTexts(DIALECT, tables).map((text) => statement<[]>("suppress", text));
  return async (session: Session, changes: NonNullable<SettleChanges["suppressions"]>, at: string): Promise<void> => {
    if (changes.length > 0) {
      const values = suppressingValues(DIALECT, changes, at);
      for (const one of statements) {
        await session.rows(one, values);
      }
    }
  };
}

/** Writes digests as they are to be, and ends their leases. */
function prepareSaveDigests({ deliveries, digestEntries, digests }: TableNames) {
  const saveDigest = statement<[]>(
    "save_digests",
    `UPDATE ${digests} g SET state = ${reopened("e.state", { digests, of: "g" })}, closes_at = e."closesAt", rendered_at = e."renderedAt", closed_at = e."closedAt", shown = e.shown,
      total = e.total, due_at = e."dueAt", lease_owner = NULL, lease_until = NULL
    FROM json_to_recordset($1) AS e(id uuid, state text, "closesAt" timestamptz, "renderedAt" timestamptz, "closedAt" timestamptz, shown int, total int,
      "dueAt" timestamptz)
    WHERE g.id = e.id AND g.id = ANY ($2::uuid[])`,
  );
  const savePlaces = statement<[]>(
    "save_digest_places",
    `UPDATE ${digestEntries} x SET place = e.place
    FROM (SELECT d.pk, p.place FROM unnest($1::uuid[]) WITH ORDINALITY AS p(id, place)
      CROSS JOIN LATERAL (SELECT pk FROM ${deliveries} WHERE id = p.id OFFSET 0) d) e
    WHERE x.delivery_pk = e.pk`,
  );
  return async (session: Session, changes: NonNullable<SettleChanges["digests"]>): Promise<void> => {
    await session.rows(saveDigest, [JSON.stringify(changes), changes.map(({ id }) => id)]);
    for (const { places } of changes) {
      if (places !== null && places.length > 0) {
        await session.rows(savePlaces, [places]);
      }
    }
  };
}

import type { Owner } from "@belfry/core";
import {
  type DeliveryErasureStep,
  type ExportedDelivery,
  type ExportStep,
  eraseChains,
  type StepRange,
  type SweepStep,
  tenantBeforeDeletion,
  tenantOfDeleted,
} from "@belfry/core/storage";
import { LOOKED_AT, sweepStep } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { prepareLeaveFanOuts } from "../inbox/fan-outs.ts";
import { NOTIFICATION_FIELDS } from "../inbox/item-row.ts";
import { prepareDropNotification } from "../inbox/remove.ts";
import { DELIVERIES_AT_ONCE, prepareDropDeliveries, prepareDropRest, prepareHide } from "../operator/delete.ts";
import { type ChainKey, prepareTrack } from "./read-sends.ts";
import { type KeyedDeliveryRow, RECORDS } from "./rows.ts";
import { prepareLoad, prepareSave } from "./settle.ts";

/** Removes some of a recipient's chains. */
export function prepareErase(context: QueryContext) {
  const { prepare } = context;
  const find = prepare<Owner & { readonly limit: number }, ChainKey>(`
    SELECT DISTINCT notification_pk AS pk, chain FROM belfry_deliveries WHERE tenant = :tenant AND recipient = :userId
    ORDER BY notification_pk, chain LIMIT :limit`);
  const leaveFanOuts = prepareLeaveFanOuts(context);
  const load = prepareLoad(context);
  const save = prepareSave(context);
  const removeChain = [
    `DELETE FROM belfry_taken_addresses WHERE delivery_pk IN (
      SELECT pk FROM belfry_deliveries WHERE notification_pk = :pk AND chain = :chain)`,
    `DELETE FROM belfry_digest_entries WHERE delivery_pk IN (
      SELECT pk FROM belfry_deliveries WHERE notification_pk = :pk AND chain = :chain)`,
    `DELETE FROM belfry_delivery_attempts WHERE delivery_pk IN (
      SELECT pk FROM belfry_deliveries WHERE notification_pk = :pk AND chain = :chain)`,
    "DELETE FROM belfry_deliveries WHERE notification_pk = :pk AND chain = :chain",
  ].map((text) => prepare<ChainKey>(text));
  const forget = prepareForget(context);
  return (owner: Owner, limit: number, at: Date): DeliveryErasureStep => {
    const left = leaveFanOuts(owner, limit);
    const keys = find.all({ ...owner, limit });
    const loaded = load(keys);
    const { changes, sends } = eraseChains(loaded, at);
    save(loaded, changes, at);
    for (const key of keys) {
      for (const part of removeChain) {
        part.run(key);
      }
    }
    for (const pk of new Set(keys.map((key) => key.pk))) {
      forget(owner, pk);
    }
    const removed = loaded.reduce((sum, { chains }) => sum + chains.flat().length, 0);
    return { removed: removed + left, isDone: keys.length < limit && left < limit, sends };
  };
}

/** Removes a recipient's name from a notification's rows, and the notification if nothing else uses it. */
function prepareForget(context: QueryContext) {
  type Named = Owner & { readonly pk: number };
  const dropNotification = prepareDropNotification(context);
  const parts = [
    `UPDATE belfry_idempotency_keys SET response = '' WHERE notification_id = (SELECT id FROM belfry_notifications WHERE pk = :pk) AND tenant = :tenant`,
    `UPDATE belfry_sends SET erased_recipients = erased_recipients + 1,
      recipients = (SELECT json_group_array(value) FROM (SELECT value FROM json_each(recipients) WHERE value <> :userId ORDER BY key))
    WHERE notification_pk = :pk AND EXISTS (SELECT 1 FROM json_each(recipients) WHERE value = :userId)`,
    ...["belfry_sends", "belfry_trackings"].map(
      (table) =>
        `DELETE FROM ${table} WHERE notification_pk = :pk AND NOT EXISTS (SELECT 1 FROM belfry_deliveries WHERE notification_pk = :pk)
          AND NOT EXISTS (SELECT 1 FROM belfry_fan_outs WHERE notification_pk = :pk)
          AND NOT EXISTS (SELECT 1 FROM belfry_broadcasts WHERE notification_pk = :pk)`,
    ),
  ].map((text) => context.prepare<Named>(text));
  return (owner: Owner, pk: number): void => {
    for (const part of parts) {
      part.run({ ...owner, pk });
    }
    dropNotification(owner.tenant, pk);
  };
}

/** Reads a recipient's deliveries. */
export function prepareExport(context: QueryContext) {
  interface Place {
    readonly notificationPk: number;
    readonly pk: number;
  }
  const track = prepareTrack(context);
  const page = context.prepare<Owner & Place & { readonly limit: number }, KeyedDeliveryRow>(`
    SELECT d.pk, ${RECORDS.delivery} FROM belfry_deliveries d CROSS JOIN belfry_notifications n ON n.pk = d.notification_pk AND n.tenant = d.tenant
    WHERE d.tenant = (SELECT :tenant) AND d.recipient = (SELECT :userId) AND (d.notification_pk, d.pk) > (:notificationPk, :pk)
    ORDER BY d.notification_pk, d.pk LIMIT :limit`);
  const notification = context.prepare<{ readonly pk: number }, object>(`
    SELECT ${NOTIFICATION_FIELDS.columns("n")} FROM belfry_notifications n WHERE n.pk = (SELECT :pk)`);
  return (owner: Owner, { after, limit }: StepRange): ExportStep<ExportedDelivery> => {
    const place = after === null ? { notificationPk: 0, pk: 0 } : (JSON.parse(after) as Place);
    const rows = page.all({ ...owner, ...place, limit });
    const records = track(rows).map((delivery, index): ExportedDelivery => {
      const of = notification.get({ pk: rows[index]?.notificationPk ?? 0 });
      return { ...delivery, notification: NOTIFICATION_FIELDS.record(of ?? {}) };
    });
    const last = rows.length < limit ? undefined : rows.at(-1);
    return {
      records,
      next: last === undefined ? null : JSON.stringify({ notificationPk: last.notificationPk, pk: last.pk } satisfies Place),
    };
  };
}

type LookedAtSend = readonly [isOld: number, isOver: number, pk: number, tenant: string];

/** How many deliveries a step asks whether something is left to deliver: it takes some 5 ms, in which nobody else gets a turn. */
const ASKED_AT_ONCE = 5_000;

/** Where a sweep goes on: after a send, or among the deliveries of the next one, at a chain. */
type SweepPlace = readonly [afterPk: number, chain: number];

/** What a step may still do. */
interface Budget {
  asks: number;
  drops: number;
}

/**
 * Removes a send with its deliveries, as far as the budget goes, unless something is left to deliver. Returns what became of it, or the
 * chain to go on from. It is hidden before it goes in several steps: nobody retries it then.
 */
function prepareRemoveSend(context: QueryContext) {
  const ask = context.prepareRows<ChainKey & { readonly limit: number }, readonly [isLeft: number, asked: number, chain: number]>(`
    SELECT coalesce(max(is_left), 0), count(*), coalesce(max(chain), 0) FROM (
      SELECT status IN ('pending', 'waiting') AS is_left, chain FROM belfry_deliveries
      WHERE notification_pk = (SELECT :pk) AND chain >= (SELECT :chain) ORDER BY chain, is_fallback LIMIT :limit)`);
  const dropDeliveries = prepareDropDeliveries(context);
  const dropRest = prepareDropRest(context);
  const hide = prepareHide(context);
  return ({ tenant, ...from }: ChainKey & { readonly tenant: string }, budget: Budget): "kept" | "removed" | number => {
    const isHidden = tenantBeforeDeletion(tenant) !== null;
    const [isLeft, asked, chain] = (isHidden ? undefined : ask.get({ ...from, limit: budget.asks })) ?? [0, 0, 0];
    budget.asks -= asked;
    if (isLeft === 1) {
      return "kept";
    }
    if (budget.asks === 0) {
      return chain;
    }
    budget.drops -= dropDeliveries(from, budget.drops);
    if (budget.drops > 0) {
      dropRest(from);
      return "removed";
    }
    if (!isHidden) {
      hide(from, tenant);
    }
    return 0;
  };
}

/**
 * Looks at sends of all tenants, oldest first, and removes old ones that are settled and in no inbox any more, up to so many deliveries.
 */
export function prepareSweep(context: QueryContext) {
  const hasNo = (rows: string) => `NOT EXISTS (SELECT 1 FROM belfry_${rows} WHERE notification_pk = t.notification_pk)`;
  const isOld = "t.created_at < (SELECT :before)";
  // Whether a chain has a delivery left to make although it counts as settled is asked of its deliveries, in parts.
  const lookAt = context.prepareRows<{ readonly after: number; readonly before: Date; readonly hidden: string }, LookedAtSend>(`
    SELECT ${isOld}, ${isOld} AND ${hasNo("inbox_items")} AND ${hasNo("fan_outs")} AND ${hasNo("broadcasts")}
      AND (t.pending_chains = 0 OR substr(t.tenant, 1, length((SELECT :hidden))) = (SELECT :hidden)),
      t.notification_pk, t.tenant
    FROM belfry_trackings t WHERE t.notification_pk > (SELECT :after) ORDER BY t.notification_pk LIMIT ${LOOKED_AT}`);
  const removeSend = prepareRemoveSend(context);
  return (before: Date, range: StepRange): SweepStep => {
    const [after, firstChain] = range.after === null ? ([0, 0] as const) : (JSON.parse(range.after) as SweepPlace);
    const { over, last } = sweepStep(lookAt.all({ after, before, hidden: tenantOfDeleted("") }), range);
    const budget: Budget = { asks: ASKED_AT_ONCE, drops: DELIVERIES_AT_ONCE };
    let removed = 0;
    for (const [, , pk, tenant] of over) {
      const done = removeSend({ pk, tenant, chain: pk === after + 1 ? firstChain : 0 }, budget);
      if (typeof done === "number") {
        return { removed, next: JSON.stringify([pk - 1, done] satisfies SweepPlace) };
      }
      removed += Number(done === "removed");
    }
    return { removed, next: last === undefined ? null : JSON.stringify([last[2], 0] satisfies SweepPlace) };
  };
}

import type { Delivery, DeliveryAttempt } from "@belfry/core";
import type { Decide, LoadedDelivery, LoadedSend, SendState, SettleChanges } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { prepareWriteAudit } from "./audit-log.ts";
import { DELIVERY_COLUMNS, type DeliveryRow, toDelivery } from "./delivery-row.ts";
import { type ChainKey, IS_ITEM_READ } from "./select-chains.ts";
import { SEND_COLUMNS, type SendRow, toState } from "./send-row.ts";

/** Loads chains, has them decided upon, and writes what was decided. */
export function prepareSettle(context: QueryContext) {
  const load = prepareLoad(context);
  const save = prepareSave(context);
  return (keys: readonly ChainKey[], at: Date, decide: Decide): void => {
    const loaded = load(keys);
    if (loaded.length > 0) {
      save(loaded, decide(loaded, at), at);
    }
  };
}

function prepareLoad({ prepare }: QueryContext) {
  const deliveries = prepare<{ readonly keys: string }, DeliveryRow & { readonly is_read: number }>(sql`
    select ${DELIVERY_COLUMNS}, ${IS_ITEM_READ} as is_read
    from (select distinct value ->> 0 as pk, value ->> 1 as chain from json_each(${sql.placeholder("keys")})) k
    cross join belfry_deliveries d on d.notification_pk = k.pk and d.chain = k.chain cross join belfry_notifications n on n.pk = d.notification_pk
    order by d.notification_pk, d.chain, d.is_fallback`);
  const sends = prepare<{ readonly pks: string }, SendRow>(sql`
    select ${SEND_COLUMNS} from json_each(${sql.placeholder("pks")}) k
    cross join belfry_sends s on s.notification_pk = k.value cross join belfry_notifications n on n.pk = k.value`);
  return (keys: readonly ChainKey[]): readonly LoadedSend[] => {
    const rows = deliveries.all({ keys: JSON.stringify(keys.map(({ pk, chain }) => [pk, chain])) });
    const bySend = Map.groupBy(rows, ({ notification_pk }) => notification_pk);
    return sends.all({ pks: JSON.stringify([...bySend.keys()]) }).map((row) => {
      const byChain = Map.groupBy(bySend.get(row.pk) ?? [], ({ chain }) => chain);
      const chains = [...byChain.values()].map((chain) =>
        chain.map((delivery): LoadedDelivery => ({ ...toDelivery(delivery), isRead: delivery.is_read === 1 })),
      );
      return { state: toState(row), chains };
    });
  };
}

function prepareSave(context: QueryContext) {
  const saveDelivery = prepareSaveDelivery(context);
  const saveAttempt = prepareSaveAttempt(context);
  const saveState = prepareSaveState(context);
  const writeAudit = prepareWriteAudit(context);
  return (loaded: readonly LoadedSend[], { deliveries, attempts, sends, audit }: SettleChanges, at: Date): void => {
    for (const delivery of deliveries) {
      saveDelivery(delivery);
    }
    for (const attempt of attempts) {
      saveAttempt(attempt);
    }
    for (const state of sends) {
      saveState(state, at);
    }
    for (const entry of audit) {
      const of = loaded.find(({ state }) => state.id === entry.notificationId);
      writeAudit(of?.state.tenant ?? "", entry, at);
    }
  };
}

function prepareSaveDelivery({ prepare }: QueryContext) {
  interface Values extends Omit<Delivery, "dueAt" | "leaseUntil" | "settledAt" | "isFallback"> {
    readonly dueAt: number | null;
    readonly leaseUntil: number | null;
    readonly settledAt: number | null;
  }
  const update = prepare<Values>(sql`
    update belfry_deliveries set status = ${sql.placeholder("status")}, reason = ${sql.placeholder("reason")}, attempt = ${sql.placeholder("attempt")},
      attempts_before = ${sql.placeholder("attemptsBefore")}, due_at = ${sql.placeholder("dueAt")}, lease_owner = ${sql.placeholder("leaseOwner")},
      lease_until = ${sql.placeholder("leaseUntil")}, fence = ${sql.placeholder("fence")}, settled_at = ${sql.placeholder("settledAt")}
    where id = ${sql.placeholder("id")} and tenant = ${sql.placeholder("tenant")}`);
  return (delivery: Delivery): void => {
    const { isFallback: _, dueAt, leaseUntil, settledAt, ...rest } = delivery;
    update.run({
      ...rest,
      dueAt: dueAt?.getTime() ?? null,
      leaseUntil: leaseUntil?.getTime() ?? null,
      settledAt: settledAt?.getTime() ?? null,
    });
  };
}

function prepareSaveAttempt({ prepare }: QueryContext) {
  interface Values extends Omit<DeliveryAttempt, "startedAt" | "finishedAt" | "isTransient"> {
    readonly startedAt: number;
    readonly finishedAt: number;
    readonly isTransient: number;
  }
  const insert = prepare<Values>(sql`
    insert into belfry_delivery_attempts
      (delivery_pk, attempt, status, started_at, finished_at, provider, response, message_id, error, note, is_transient)
    select pk, ${sql.placeholder("attempt")}, ${sql.placeholder("status")}, ${sql.placeholder("startedAt")}, ${sql.placeholder("finishedAt")},
      ${sql.placeholder("provider")}, ${sql.placeholder("response")}, ${sql.placeholder("messageId")}, ${sql.placeholder("error")},
      ${sql.placeholder("note")}, ${sql.placeholder("isTransient")}
    from belfry_deliveries where id = ${sql.placeholder("deliveryId")}`);
  return ({ startedAt, finishedAt, isTransient, ...attempt }: DeliveryAttempt): void => {
    insert.run({ ...attempt, startedAt: startedAt.getTime(), finishedAt: finishedAt.getTime(), isTransient: Number(isTransient) });
  };
}

function prepareSaveState({ prepare }: QueryContext) {
  interface Values {
    readonly tenant: string;
    readonly id: string;
    readonly status: string;
    readonly pending: number;
    readonly sent: number;
    readonly delivered: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly attempts: number;
    readonly fallbackUsed: number;
    readonly deliveredAt: number | null;
    readonly failedAt: number | null;
    readonly at: number;
  }
  const update = prepare<Values>(sql`
    update belfry_sends set status = ${sql.placeholder("status")}, pending_chains = ${sql.placeholder("pending")}, sent_chains = ${sql.placeholder("sent")},
      delivered_chains = ${sql.placeholder("delivered")}, failed_chains = ${sql.placeholder("failed")}, cancelled_chains = ${sql.placeholder("cancelled")},
      attempts = ${sql.placeholder("attempts")}, fallback_used = ${sql.placeholder("fallbackUsed")}, delivered_at = ${sql.placeholder("deliveredAt")},
      failed_at = ${sql.placeholder("failedAt")}, updated_at = ${sql.placeholder("at")}
    where notification_pk = (
      select pk from belfry_notifications where tenant = ${sql.placeholder("tenant")} and id = ${sql.placeholder("id")})`);
  return ({ tenant, id, status, chains, attempts, fallbackUsed, deliveredAt, failedAt }: SendState, at: Date): void => {
    update.run({
      ...{ tenant, id, status, attempts, ...chains },
      fallbackUsed: Number(fallbackUsed),
      deliveredAt: deliveredAt?.getTime() ?? null,
      failedAt: failedAt?.getTime() ?? null,
      at: at.getTime(),
    });
  };
}

import type { Delivery, DeliveryAttempt } from "@belfry/core";
import type {
  ClaimedDelivery,
  Decide,
  DeliveryFairness,
  LeaseRequest,
  LoadedDelivery,
  LoadedSend,
  SendState,
  SettleChanges,
} from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { LeaseTable } from "../database/leases.ts";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { type ChainKey, IS_ITEM_READ } from "./read-sends.ts";
import { DELIVERY_COLUMNS, type DeliveryRow, SEND_COLUMNS, type SendRow, toDelivery, toDetails, toNotification, toState } from "./rows.ts";

/** How many due deliveries are looked at for one claim: one endpoint's may be many, and only a few of them are taken. */
const CANDIDATES = 1_000;

/** Deliveries as tasks to be leased. */
export const DELIVERY_LEASES: LeaseTable<DeliveryRow, ClaimedDelivery, DeliveryFairness> = {
  table: sql`belfry_deliveries`,
  isDue: sql`status = 'pending' and lease_owner is null and due_at <= ${sql.placeholder("at")}`,
  queues: [
    sql`select due_at as due from belfry_deliveries where status = 'pending' and lease_owner is null order by due_at limit 1`,
    sql`select due_at from belfry_deliveries where status = 'waiting' and due_at is not null order by due_at limit 1`,
  ],
  select: sql`select ${DELIVERY_COLUMNS} from belfry_deliveries d cross join belfry_notifications n on n.pk = d.notification_pk`,
  alias: sql`d`,
  due: prepareDue,
  tasks: prepareWithSends,
};

interface CandidateValues {
  readonly at: number;
  readonly limit: number;
  readonly perEndpoint: number;
  /** JSON arrays. */
  readonly channels: string;
  readonly exceptTenants: string;
  readonly exceptEndpoints: string;
}

/** Finds due deliveries: of one endpoint no more than its share. */
function prepareDue({ prepare }: QueryContext) {
  const candidates = prepare<CandidateValues, DeliveryRow>(sql`
    with due as materialized (
      select pk, due_at, channel, recipient from belfry_deliveries
      where status = 'pending' and lease_owner is null and due_at <= ${sql.placeholder("at")}
        and channel in (select value from json_each(${sql.placeholder("channels")}))
        and tenant not in (select value from json_each(${sql.placeholder("exceptTenants")}))
        and channel || char(0) || recipient not in (select value from json_each(${sql.placeholder("exceptEndpoints")}))
      order by due_at limit ${sql.raw(String(CANDIDATES))}),
    ranked as (select pk, due_at, row_number() over (partition by channel, recipient order by due_at, pk) as place from due)
    select ${DELIVERY_COLUMNS} from ranked r cross join belfry_deliveries d on d.pk = r.pk cross join belfry_notifications n on n.pk = d.notification_pk
    where r.place <= ${sql.placeholder("perEndpoint")} order by r.due_at, r.pk limit ${sql.placeholder("limit")}`);
  return ({ at, limit, perEndpoint, ...request }: LeaseRequest & DeliveryFairness): readonly DeliveryRow[] =>
    candidates.all({
      at: at.getTime(),
      limit,
      perEndpoint,
      channels: JSON.stringify(request.channels),
      exceptTenants: JSON.stringify(request.exceptTenants),
      exceptEndpoints: JSON.stringify(request.exceptEndpoints.map(({ channel, recipient }) => `${channel}\u0000${recipient}`)),
    });
}

/** Adds to deliveries what is to be delivered. */
function prepareWithSends({ prepare }: QueryContext) {
  const sendOf = prepare<{ readonly pk: number }, SendRow>(sql`
    select ${SEND_COLUMNS} from belfry_sends s cross join belfry_notifications n on n.pk = s.notification_pk
    where s.notification_pk = (select ${sql.placeholder("pk")})`);
  return (rows: readonly DeliveryRow[]): readonly ClaimedDelivery[] => {
    const sends = new Map<number, Omit<ClaimedDelivery, "delivery">>();
    return rows.map((row) => {
      const send = sends.get(row.notification_pk) ?? whatToDeliver(sendOf.get({ pk: row.notification_pk }));
      sends.set(row.notification_pk, send);
      return { ...send, delivery: toDelivery(row) };
    });
  };
}

function whatToDeliver(row: SendRow | undefined): Omit<ClaimedDelivery, "delivery"> {
  if (row === undefined) {
    throw new Error("A delivery was found without its send.");
  }
  return { notification: toNotification(row), details: toDetails(row) };
}

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

import type { Channel } from "@belfry/core";
import type { ClaimedDelivery, DeliveryStorage, InboxStorage, SendCreated, Storage } from "@belfry/core/storage";
import Database from "better-sqlite3";
import pg from "pg";
import { claimedLater, override, type Parts } from "./failpoints.ts";

/** Mistakes that are planted to see whether the oracle finds them. */
export const MUTANTS = [
  /** Whoever has made an attempt records its end, also if the lease was lost. */
  "no fence check",
  /** A delivery is sent first, and claimed when it is sent. */
  "claim after send",
  /** The answer goes out before the commit. */
  "commit after answer",
  /** A follower of an inbox goes by an order over all notifications, not by the inbox's own numbers. */
  "cursor by global sequence",
] as const;

export type Mutant = (typeof MUTANTS)[number];

/** How late a mutant writes what it should have written before: it is killed earlier, however busy the machine is. */
const LATE_MS = 60_000;

/** The parts with a mistake, planted from outside. */
export function withMutant(parts: Parts, { mutant, database }: { readonly mutant: Mutant | undefined; readonly database: string }): Parts {
  const { storage, channels } = parts;
  switch (mutant) {
    case "no fence check":
      return { ...parts, storage: override(storage, { deliveries: withoutFence(claimedLater(storage.deliveries)) }) };
    case "claim after send":
      return claimingLate({ storage, channels }, executorOf(database));
    case "commit after answer":
      return { ...parts, storage: override(storage, { deliveries: committingLate(storage.deliveries) }) };
    case "cursor by global sequence":
      return { ...parts, storage: withGlobalCursor(storage) };
    default:
      return parts;
  }
}

/** Tells core that every delivery it ends is still under the lease that this worker got for it. */
function withoutFence(deliveries: DeliveryStorage): DeliveryStorage {
  const claimed = new Map<string, { readonly leaseOwner: string; readonly fence: number }>();
  const claim: DeliveryStorage["leases"]["claim"] = async (request) => {
    const tasks = await deliveries.leases.claim(request);
    for (const { delivery } of tasks) {
      claimed.set(delivery.id, { leaseOwner: request.owner, fence: delivery.fence });
    }
    return tasks;
  };
  const settle: DeliveryStorage["settle"] = (selection, at, decide) =>
    deliveries.settle(selection, at, (loaded, now) =>
      decide(
        loaded.map((send) => ({
          ...send,
          chains: send.chains.map((chain) => chain.map((delivery) => ({ ...delivery, ...claimed.get(delivery.id) }))),
        })),
        now,
      ),
    );
  // Nothing is completed by the one statement that checks the fence itself: all of it is settled.
  const complete: DeliveryStorage["complete"] = async (_owner, _changes, at) => ({ ids: new Set(), now: at });
  return { ...deliveries, leases: { ...deliveries.leases, claim }, settle, complete };
}

/** Runs a statement with one value, `$1`, on a database of either kind. */
type Execute = (sql: string, value: string) => Promise<void>;

function executorOf(url: string): Execute {
  if (url.startsWith("sqlite:")) {
    const path = url.slice("sqlite:".length);
    return async (sql, value) => {
      const database = new Database(path, { timeout: 10_000 });
      database.prepare(sql.replaceAll("$1", "?1")).run({ 1: value });
      database.close();
    };
  }
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on("error", () => {});
  return async (sql, value) => {
    await pool.query(sql, [value]);
  };
}

/** Gives each claim back before anything is sent, and takes it when it is sent. */
function claimingLate({ storage, channels }: Parts, execute: Execute): Parts {
  const deliveries = claimedLater(storage.deliveries);
  const owners = new Map<string, string>();
  const giveBack = "UPDATE belfry_deliveries SET lease_owner = NULL, attempt = attempt - 1, fence = fence - 1 WHERE id = $1";
  const claim: DeliveryStorage["leases"]["claim"] = async (request) => {
    const tasks: readonly ClaimedDelivery[] = await deliveries.leases.claim(request);
    for (const { delivery } of tasks) {
      owners.set(delivery.id, request.owner);
      await execute(giveBack, delivery.id);
    }
    return tasks;
  };
  const deliver = (channel: Channel): Channel["deliver"] => {
    return async (task, signal) => {
      const outcome = await channel.deliver(task, signal);
      await new Promise((resolve) => setTimeout(resolve, LATE_MS));
      const take = `UPDATE belfry_deliveries SET lease_owner = '${owners.get(task.id)}', attempt = attempt + 1, fence = fence + 1 WHERE id = $1`;
      await execute(take, task.id);
      return outcome;
    };
  };
  return {
    storage: override(storage, { deliveries: { ...deliveries, leases: { ...deliveries.leases, claim } } }),
    channels: channels.map((channel) => ({ ...channel, deliver: deliver(channel) })),
  };
}

function committingLate(deliveries: DeliveryStorage): DeliveryStorage {
  const createFreeSends: DeliveryStorage["createFreeSends"] = async (sends, at) => {
    setTimeout(() => deliveries.createFreeSends(sends, at), LATE_MS);
    return sends.map((): SendCreated => ({ kind: "created", items: [] }));
  };
  return { ...deliveries, createFreeSends };
}

/** Reads what is after a position by the ids of notifications, which grow over all inboxes. */
function withGlobalCursor(storage: Storage): Storage {
  const { inbox } = storage;
  const last = new Map<string, string>();
  const listAfter: InboxStorage["listAfter"] = async (owner, seq, page) => {
    const tail = await inbox.listAfter(owner, seq, page);
    const after = seq === 0 ? "" : (last.get(owner.userId) ?? "");
    const items = tail.items.filter(({ id }) => id > after);
    last.set(owner.userId, items.at(-1)?.id ?? after);
    return { ...tail, items };
  };
  return override(storage, { inbox: { ...inbox, listAfter }, transport: () => deafTransport });
}

/** A transport may lose every signal: followers then find everything by looking. */
const deafTransport = { pollIntervalMs: 100, async start() {}, publish() {}, async stop() {} };

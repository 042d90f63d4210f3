import { createHash } from "node:crypto";
import type { CreatedItem, Notification } from "@belfry/core";
import { type InboxSignal, type NewNotification, packSignals, partsOfCreated, type Signal } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";

/** PostgreSQL refuses payloads of 8,000 bytes and more. */
export const MAX_BYTES = 7_999;

/** The channel, the text before all signals, and the text before the user of each. */
export type SignalParts = readonly [channel: string | null, before: string | null, beforeUser: string | null];

/** The parts of no signal: nothing is sent. */
export const NO_SIGNAL: SignalParts = [null, null, null];

/** The channel, and the text before the number of the one item. */
export type LoneSignalParts = readonly [channel: string | null, before: string | null];

/** The same for one item: nothing is sent. */
export const NO_LONE_SIGNAL: LoneSignalParts = [null, null];

/**
 * SQL that sends a payload when its transaction commits, and is true if it does. A commit that notifies holds a lock on the whole
 * server until it is flushed. So that creates do not queue for that lock, only one at a time sends its own signals: one that gets
 * Belfry's own lock at once. The signals of the others are sent after their commits, which waits for no disk.
 *
 * @param channel null for nothing to send
 * @param payload one that is too long is not sent
 */
export function sendSignal(channel: string, payload: string): string {
  return `CASE WHEN octet_length(${payload}) > ${MAX_BYTES} THEN false ELSE ${sendShortSignal(channel, payload)} END`;
}

/** The same for a payload that {@link Announcements.partsOfOne} found short enough. Its length is not asked: it would be put together twice. */
export function sendShortSignal(channel: string, payload: string): string {
  return `CASE WHEN ${channel}::text IS NULL THEN false
    WHEN pg_try_advisory_xact_lock(${NOTIFY_LOCK}) THEN pg_notify(${channel}, ${payload}) IS NOT NULL ELSE false END`;
}

/** If nobody publishes what was created, not more than this is remembered. */
const MAX_SENT = 1_000;

/** With fewer characters in its tenant and user, the signal of one item is short enough: a character takes up to six bytes in JSON. */
const SHORT_NAMES = 1_200;

/** The lock that a transaction takes for which others shall not notify with their commits. Nobody waits for it. */
const NOTIFY_LOCK = "hashtextextended('belfry_notify', 0)";

/** Nobody's name, so that every process takes the signals, this one too. */
const NO_SENDER = "";

/**
 * Lets PostgreSQL itself send the signals of what is created, when its transaction commits: in transactions of the host, so that
 * the signals go out even if this process dies right after, and of creates that are alone, as this costs less than a second
 * statement. A transport must not send them again.
 */
export class Announcements {
  /** Where every process listens. */
  readonly channel: string;
  /** Where those listen that follow a feed. */
  readonly feedChannel: string;
  #isTelling = false;
  /** The name under which the transport sends; null without a transport. */
  #sender: string | null = null;
  /** Created notifications that were sent and are not published yet: published in this order, but for a failure. */
  readonly #sent: Notification[] = [];

  constructor(schema: string) {
    this.channel = channelOf(schema);
    this.feedChannel = feedChannelOf(schema);
  }

  /** Whether PostgreSQL already sent the signals that are being published. */
  areSent(signals: readonly Signal[]): boolean {
    if (this.#isTelling) {
      return true;
    }
    const [first] = signals;
    const at = first !== undefined && "notification" in first && first.notification ? this.#sent.indexOf(first.notification) : -1;
    return at >= 0 && this.#sent.splice(at, 1).length > 0;
  }

  /** A transport calls it. Without a transport nothing is sent: nobody would hear it, and every NOTIFY slows commits down. */
  attach(sender: string): void {
    this.#sender = sender;
  }

  /** Values for a statement that creates items of a tenant, and sends their signals with {@link sendSignal}. */
  partsOf(tenant: string): SignalParts {
    return this.#sender === null ? NO_SIGNAL : [this.feedChannel, ...partsOfCreated(this.#sender, tenant)];
  }

  /** The same for one item, with {@link sendShortSignal}. A signal that may be too long is not sent. */
  partsOfOne(tenant: string, userId: string): LoneSignalParts {
    if (this.#sender === null || tenant.length + userId.length >= SHORT_NAMES) {
      return NO_LONE_SIGNAL;
    }
    const [before, beforeUser] = partsOfCreated(this.#sender, tenant);
    return [this.feedChannel, `${before}${beforeUser}${JSON.stringify(userId)},`];
  }

  /** Notes that a commit sent the signals of these entries. Each is to be published once. */
  sent(entries: readonly NewNotification[]): void {
    for (const { notification } of entries) {
      this.#sent.push(notification);
    }
    if (this.#sent.length > MAX_SENT) {
      this.#sent.splice(0, this.#sent.length - MAX_SENT);
    }
  }

  /** Makes the transaction behind `session` send an entry's signals when it commits. */
  async add(session: Session, { notification }: Pick<NewNotification, "notification">, items: readonly CreatedItem[]): Promise<void> {
    if (this.#sender !== null && items.length > 0) {
      const { tenant, id } = notification;
      const signals = items.map(({ userId, seq, epoch }): InboxSignal => ({ tenant, userId, change: "created", seq, epoch, id }));
      await notifyOnCommit(session, this.feedChannel, packSignals({ sender: NO_SENDER, signals }, MAX_BYTES));
    }
  }

  /** Runs `tell`, which publishes what PostgreSQL has sent already. */
  telling(tell: () => void): void {
    this.#isTelling = true;
    try {
      tell();
    } finally {
      this.#isTelling = false;
    }
  }
}

/** PostgreSQL cuts longer names of channels. */
const MAX_CHANNEL_BYTES = 63;

/** Creates that are alone do not notify with their commits while a transaction of the host may: see {@link sendSignal}. */
const send = statement<[]>(
  "notify",
  `SELECT FROM (SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS p(payload)) sent,
    (SELECT pg_try_advisory_xact_lock_shared(${NOTIFY_LOCK}) AS is_held) held`,
);

/** The channel of the Belfry tables in a PostgreSQL schema, for what concerns every process. Channels belong to a database, so the schema is enough. */
export function channelOf(schema: string): string {
  return channelNamed("belfry", schema);
}

/**
 * The channel for what concerns the followers of a feed, such as what is created. A process that nobody follows anything in does not
 * listen there: else the server would wake its connection for each create, its own ones too, for nothing.
 */
export function feedChannelOf(schema: string): string {
  // Not the channel of another schema, whose name may begin with any word.
  return channelNamed("belfry-feeds", schema);
}

function channelNamed(start: string, schema: string): string {
  const channel = `${start}_${schema}`;
  return Buffer.byteLength(channel) <= MAX_CHANNEL_BYTES
    ? channel
    : `${start}_${createHash("sha256").update(schema).digest("hex").slice(0, 32)}`;
}

/** Sends payloads in their order when the transaction of the session commits. */
async function notifyOnCommit(session: Session, channel: string, payloads: readonly string[]): Promise<void> {
  await session.rows(send, [channel, payloads]);
}

/**
 * The same as a transaction of its own, whose commit waits for no disk: a signal is lost in a crash anyway, and all notifying
 * commits of a database wait for each other.
 */
const sendNow = statement<[]>(
  "notify_now",
  `WITH unflushed AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS setting)
  SELECT FROM (SELECT pg_notify($1, payload) FROM unflushed CROSS JOIN unnest($2::text[]) AS p(payload) WHERE setting = 'off') sent`,
);

/** Sends payloads in their order, at once. Not inside a transaction: its commit would wait for no disk. */
export async function notify(session: Session, channel: string, payloads: readonly string[]): Promise<void> {
  await session.rows(sendNow, [channel, payloads]);
}

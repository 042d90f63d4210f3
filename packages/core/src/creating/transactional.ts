import { type DeliveryContext, type ParsedSend, sendWithin } from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { type MembersOf, requireMembers, validationError } from "../foundation/issue-list.ts";
import type { NewNotification } from "../inbox/index.ts";
import { MAX_AT_ONCE, type Notification } from "../notifications/index.ts";
import type { CreatingContext } from "./context.ts";
import { announceCreated, announceFanOut } from "./create.ts";

/** Options of `create`. */
export interface CallOptions<Tx> {
  /**
   * An open transaction of the host on the same database. The writes commit or roll back with it.
   * @default one of Belfry's own
   */
  readonly tx?: Tx;
}

/** Options of `create` when the database's driver is synchronous. */
export interface SynchronousCallOptions {
  /**
   * Not available: a synchronous transaction ends before `create` writes. Await `prepare` first, and call `write` inside the
   * transaction.
   */
  readonly tx?: never;
}

/** Options of `create`. There is no `tx` when writes through a transaction are synchronous. */
export type CallOptionsOf<Tx, Written> = Written extends void ? SynchronousCallOptions : CallOptions<Tx>;

/** A checked notification, ready to be written inside the host's transaction. */
export interface PreparedNotification<Tx, Written extends void | Promise<void>> {
  /** The notification as it will be stored, with its id. */
  readonly notification: Notification;
  /**
   * Writes the notification through the host's open transaction. It commits or rolls back with that transaction. Clients and
   * listeners hear of it after the commit, and only then is it delivered. Writing it again in another transaction has no further effect.
   *
   * @throws BelfryError `WRONG_TRANSACTION`, before anything is written, for a handle that is not an open transaction of the
   *   storage's database; `SERVICE_STOPPED`
   */
  write(tx: Tx): Written;
}

/** Makes a checked entry that can be written inside a transaction, also a synchronous one. */
export function prepared<Tx, Written extends void | Promise<void>>(
  context: CreatingContext<Tx, Written>,
  entry: NewNotification,
): PreparedNotification<Tx, Written> {
  return {
    notification: entry.notification,
    write(tx) {
      context.requireRunning();
      requireHandle(tx);
      return entry.recipients.length > MAX_AT_ONCE
        ? context.inbox.createFanOutWithin(tx, entry, () => announceFanOut(context, entry))
        : context.inbox.createWithin(tx, entry, (items) => announceCreated(context, entry, items));
    },
  };
}

/** Makes a checked notification with deliveries that can be written inside a transaction, also a synchronous one. */
export function preparedSend<Tx, Written extends void | Promise<void>>(
  context: DeliveryContext<Tx, Written>,
  parsed: ParsedSend,
): PreparedNotification<Tx, Written> {
  if (parsed.entry.idempotency !== null) {
    const message = "has no use in a transaction of yours: what it answers is not known before the commit. Keep the key with your own data";
    throw validationError([{ path: ["idempotencyKey"], type: "value_error", message }]);
  }
  return {
    notification: parsed.entry.notification,
    write(tx) {
      context.requireRunning();
      requireHandle(tx);
      return sendWithin(context, parsed, tx);
    },
  };
}

const CALL_OPTIONS: MembersOf<CallOptions<unknown>> = { tx: true };

/** The transaction among the options of `create`, undefined for none. Throws for a transaction that is given bare. */
export function txOf<Tx>(options: { readonly tx?: Tx } | undefined): Tx | undefined {
  if (options !== undefined) {
    requireMembers("the second argument of create", options, CALL_OPTIONS);
  }
  return options?.tx;
}

/** The part of a storage that says whether its transactions are synchronous. */
export interface TransactionsOf {
  readonly name: string;
  readonly hasSynchronousTransactions?: boolean;
}

/** Throws when transactions are synchronous: the transaction would end before `create` writes, because it awaits first. */
export function refuseSynchronous(storage: TransactionsOf): void {
  if (storage.hasSynchronousTransactions) {
    throw new BelfryError(
      "WRONG_TRANSACTION",
      `create() takes no tx with the storage ${storage.name}: its transactions are synchronous, and over before create() writes. ` +
        "Await prepare() before the transaction, and call write() inside it.",
    );
  }
}

/** Throws for what can be no transaction. */
export function requireHandle(tx: unknown): void {
  if (tx === undefined || tx === null) {
    throw new BelfryError("WRONG_TRANSACTION", `Expected an open transaction, got ${tx}. Pass the handle your database gave you.`);
  }
}

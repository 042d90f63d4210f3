import { type DeliveryContext, type ParsedSend, type Send, sendWithin } from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { validationError } from "../foundation/issue-list.ts";
import type { NewNotification } from "../inbox/index.ts";
import type { Notification } from "../notifications/index.ts";
import type { CreatingContext } from "./context.ts";
import { announceCreated } from "./create.ts";

/** What `create` and `send` take beside their input. */
export interface CallOptions<Tx> {
  /** An open transaction of the host on the same database: what is written commits with it, or vanishes. @default one of Belfry's own */
  readonly tx?: Tx;
}

/** What `create` and `send` take beside their input where the database's driver is synchronous. */
export interface SynchronousCallOptions {
  /** A synchronous transaction is over before these calls write: await `prepare` or `prepareSend` first, and call `write` inside it. */
  readonly tx?: never;
}

/** What `create` and `send` take beside their input: no transaction where writing through one is synchronous. */
export type CallOptionsOf<Tx, Written> = Written extends void ? SynchronousCallOptions : CallOptions<Tx>;

/** A notification that was checked and only has to be written inside the host's transaction. */
export interface PreparedNotification<Tx, Written extends void | Promise<void>> {
  /** The notification as it will be stored, with its id. */
  readonly notification: Notification;
  /**
   * Writes the notification through the host's open transaction: with it, or not at all. Clients and listeners hear of
   * it once the transaction has committed. Writing the same one again in another transaction writes it once.
   *
   * @throws BelfryError `WRONG_TRANSACTION` before anything is written, for a handle that is not an open transaction
   *   of the storage's database; `SERVICE_STOPPED`
   */
  write(tx: Tx): Written;
}

/** A send that was checked and only has to be written inside the host's transaction. */
export interface PreparedSend<Tx, Written extends void | Promise<void>> {
  /** The send as it will be stored, with its id. */
  readonly send: Send;
  /** See {@link PreparedNotification.write}: it is delivered once the transaction has committed, and never if it has not. */
  write(tx: Tx): Written;
}

/** Makes `entry` ready to be written inside a transaction, which may be synchronous. */
export function prepared<Tx, Written extends void | Promise<void>>(
  context: CreatingContext<Tx, Written>,
  entry: NewNotification,
): PreparedNotification<Tx, Written> {
  return {
    notification: entry.notification,
    write(tx) {
      context.requireRunning();
      requireHandle(tx);
      return context.inbox.createWithin(tx, entry, (items) => announceCreated(context, entry, items));
    },
  };
}

/** Makes a checked send ready to be written inside a transaction, which may be synchronous. */
export function preparedSend<Tx, Written extends void | Promise<void>>(
  context: DeliveryContext<Tx, Written>,
  parsed: ParsedSend,
): PreparedSend<Tx, Written> {
  if (parsed.entry.idempotency !== null) {
    const message = "has no use in a transaction of yours: what it answers is not known before the commit. Keep the key with your own data";
    throw validationError([{ path: ["idempotencyKey"], type: "value_error", message }]);
  }
  return {
    send: parsed.view,
    write(tx) {
      context.requireRunning();
      requireHandle(tx);
      return sendWithin(context, parsed, tx);
    },
  };
}

/** The part of a storage that says how its transactions are. */
export interface TransactionsOf {
  readonly name: string;
  readonly hasSynchronousTransactions?: boolean;
}

/** Refuses a transaction that will be over once `call` has awaited what it awaits before it writes. */
export function refuseSynchronous(storage: TransactionsOf, call: "create" | "send"): void {
  if (storage.hasSynchronousTransactions) {
    const prepare = call === "create" ? "prepare" : "prepareSend";
    throw new BelfryError(
      "WRONG_TRANSACTION",
      `${call}() takes no tx with the storage ${storage.name}: its transactions are synchronous, and over before ${call}() writes. ` +
        `Await ${prepare}() before the transaction, and call write() inside it.`,
    );
  }
}

function requireHandle(tx: unknown): void {
  if (tx === undefined || tx === null) {
    throw new BelfryError("WRONG_TRANSACTION", `Expected an open transaction, got ${tx}. Pass the handle your database gave you.`);
  }
}

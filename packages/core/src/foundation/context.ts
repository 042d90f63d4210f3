import type { Clock } from "./clock.ts";
import type { Ids } from "./ids.ts";
import type { Logger } from "./logger.ts";
import type { MaybePromise } from "./maybe-promise.ts";

/** The part of a context that every domain has. */
export interface BaseContext {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /**
   * Resolves once the storage can be used; it is no promise if the storage is open. Operations await it first, and count as in
   * flight until they end: `using _call = await context.ready()`. Hot ones that need not be asynchronous use {@link onceReady}.
   */
  ready(): MaybePromise<Disposable>;
  /** Throws `SERVICE_STOPPED` where an operation is refused: for what cannot wait. */
  requireRunning(): void;
}

/** The part of a context that work in the background has. */
export interface WorkContext extends Pick<BaseContext, "clock" | "logger"> {
  /** Resolves once the storage can be used. Await it. */
  ready(): unknown;
}

/** Runs an operation of a host's call once the storage can be used: at once, if it is open. */
export function onceReady<Result>(context: Pick<BaseContext, "ready">, operation: () => MaybePromise<Result>): MaybePromise<Result> {
  const call = context.ready();
  return call instanceof Promise ? call.then((ready) => within(ready, operation)) : within(call, operation);
}

/** @param operation that of {@link onceReady}: what it has to wait for is a promise of the language, as {@link andThen} makes them */
function within<Result>(call: Disposable, operation: () => MaybePromise<Result>): MaybePromise<Result> {
  let result: MaybePromise<Result>;
  try {
    result = operation();
  } catch (error) {
    call[Symbol.dispose]();
    throw error;
  }
  if (result instanceof Promise) {
    return result.finally(() => call[Symbol.dispose]());
  }
  call[Symbol.dispose]();
  return result;
}

/** Tells the host's listeners of what was committed: `Events` maps each event's name to its payload. */
export interface Emits<Events> {
  emit(...event: NamedEvent<Events>): void;
  /** Whether anybody listens: what is made only for listeners need not be made without. */
  hears(name: keyof Events): boolean;
}

/** An event with its name, as {@link Emits.emit} takes it. */
export type NamedEvent<Events> = { [Name in keyof Events]: [name: Name, event: Events[Name]] }[keyof Events];

/** A subscription to a feed. */
export interface FeedSubscription {
  /**
   * Resolves once nothing is missed from then on and a requested replay is done. Rejects if the database could not be read;
   * the subscription has ended then. You need not await it, because a failure is logged, too.
   */
  readonly ready: Promise<void>;
  /** Ends the subscription. The listener is not called after it. Idempotent. */
  close(): void;
}

/** The owner of an inbox: a user inside a tenant. Every inbox query is scoped by one, so no route can reach past it. */
export interface Owner {
  readonly tenant: string;
  readonly userId: string;
}

/** The tenant of hosts that have only one. */
export const DEFAULT_TENANT = "default";

/**
 * Calls a host's listener, whose error is its own: whoever is told after it, and what has just been committed, go on. A
 * listener may be asynchronous, whatever its type says; what it rejects with is logged too.
 *
 * @param whose begins the line that is logged
 */
export function guarded(logger: Logger, tell: () => unknown, whose?: string): void {
  try {
    logRejected(logger, tell(), whose);
  } catch (error) {
    logFailed(logger, error, whose);
  }
}

/** Tells a listener of an event, as {@link guarded} does. It takes no function: one would be made for each of very many listeners. */
export function tellGuarded<Event>(logger: Logger, listener: { onEvent(event: Event): unknown }, event: Event): void {
  try {
    logRejected(logger, listener.onEvent(event));
  } catch (error) {
    logFailed(logger, error);
  }
}

function logRejected(logger: Logger, told: unknown, whose?: string): void {
  if (told instanceof Promise) {
    told.catch((error: unknown) => logFailed(logger, error, whose));
  }
}

function logFailed(logger: Logger, error: unknown, whose = "A subscriber's listener"): void {
  logger.error({ error }, `${whose} threw an error.`);
}

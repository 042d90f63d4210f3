/**
 * A value that is there, or a promise of it. Hot paths have it: a database in this process answers at once, and a promise for each
 * step up to the wire costs more than the answer.
 */
export type MaybePromise<Value> = Value | Promise<Value>;

/** Goes on with a value: at once, if it is there. */
export function andThen<Value, Next>(value: MaybePromise<Value>, next: (value: Value) => MaybePromise<Next>): MaybePromise<Next> {
  return isThenable(value) ? Promise.resolve(value).then(next) : next(value);
}

/** Runs a step that may fail in either way: what it throws, or rejects with, goes to `failed`. */
export function attempt<Value>(step: () => MaybePromise<Value>, failed: (error: unknown) => MaybePromise<Value>): MaybePromise<Value> {
  try {
    const value = step();
    return isThenable(value) ? Promise.resolve(value).catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}

/** Whether a value has to be waited for. A promise that a host's function returns may be of another class. */
export function isThenable<Value>(value: MaybePromise<Value> | PromiseLike<Value>): value is PromiseLike<Value> {
  return typeof (value as Partial<PromiseLike<Value>> | null | undefined)?.then === "function";
}

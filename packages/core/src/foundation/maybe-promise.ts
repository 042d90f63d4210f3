/**
 * A value that is there, or a promise of it. Hot paths have it: a database in this process answers at once, and a promise for each
 * step up to the wire costs more than the answer.
 */
export type MaybePromise<Value> = Value | Promise<Value>;

/** Goes on with a value: at once, if it is there. */
export function andThen<Value, Next>(value: MaybePromise<Value>, next: (value: Value) => MaybePromise<Next>): MaybePromise<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Like {@link andThen}, for a step that may fail in either way: what it throws, or rejects with, goes to `failed`. */
export function attempt<Value>(step: () => MaybePromise<Value>, failed: (error: unknown) => MaybePromise<Value>): MaybePromise<Value> {
  try {
    const value = step();
    return value instanceof Promise ? value.catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}

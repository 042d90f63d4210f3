type Step = () => void | Promise<void>;

/**
 * Does `steps` one after another: synchronously where they are, so that the suite can work inside the transactions of
 * synchronous and asynchronous drivers alike.
 */
export function inTurn(...steps: readonly Step[]): void | Promise<void> {
  const [first, ...rest] = steps;
  if (first === undefined) {
    return;
  }
  const done = first();
  return done instanceof Promise ? done.then(() => inTurn(...rest)) : inTurn(...rest);
}

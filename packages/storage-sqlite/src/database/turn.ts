/** Resolves in the next turn of the event loop, once others have had theirs. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

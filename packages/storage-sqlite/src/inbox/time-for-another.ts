/** How long the parts take together that share a transaction, beside its commit. */
const TOGETHER_MS = 12;

/** Tells whether another part fits into the time, which takes as long as the last one. */
export function timeForAnother(): () => boolean {
  let lastMs = performance.now();
  const endMs = lastMs + TOGETHER_MS;
  return () => {
    const nowMs = performance.now();
    const tookMs = nowMs - lastMs;
    lastMs = nowMs;
    return nowMs + tookMs <= endMs;
  };
}

/** Runs something, and tells for how long it kept the event loop from everything else at a time, and how long it took, in milliseconds. */
export async function longestBlock(work: () => unknown): Promise<{ readonly blockMs: number; readonly tookMs: number }> {
  let blockMs = 0;
  let lastMs = performance.now();
  const look = () => {
    const nowMs = performance.now();
    blockMs = Math.max(blockMs, nowMs - lastMs);
    lastMs = nowMs;
  };
  const looking = setInterval(look, 1);
  const startedMs = performance.now();
  await work();
  const tookMs = performance.now() - startedMs;
  await new Promise((resolve) => setTimeout(resolve, 2));
  look();
  clearInterval(looking);
  return { blockMs, tookMs };
}

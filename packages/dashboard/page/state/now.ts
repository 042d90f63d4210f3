import { useEffect, useState } from "preact/hooks";

const TICK_MS = 10_000;

/** How many of those who show the time learn of a tick in one frame: a list may have thousands of times. */
const IN_ONE_FRAME = 200;

const listeners = new Set<(nowMs: number) => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Tells all who show the time, some in each frame. */
function tick(): void {
  const nowMs = Date.now();
  const waiting = [...listeners];
  const tellSome = () => {
    for (const listener of waiting.splice(0, IN_ONE_FRAME)) {
      listener(nowMs);
    }
    if (waiting.length > 0) {
      requestAnimationFrame(tellSome);
    }
  };
  tellSome();
}

function listen(listener: (nowMs: number) => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The present time in milliseconds; it changes every ten seconds. */
export function useNow(): number {
  const [nowMs, setNow] = useState(Date.now);
  useEffect(() => listen(setNow), []);
  return nowMs;
}

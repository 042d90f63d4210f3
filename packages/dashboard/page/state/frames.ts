import { useEffect, useRef } from "preact/hooks";

/** The longest wait: a hidden tab shows no frames. */
const HIDDEN_MS = 1_000;

/** Gathers what comes, and calls the latest `take` with all of it once a frame, however fast it comes. */
export function useFrames<Item>(take: (items: readonly Item[]) => void): (item: Item) => void {
  const latest = useRef(take);
  latest.current = take;
  const waiting = useRef<Item[]>([]);
  const timers = useRef<{ frame: number; hidden: ReturnType<typeof setTimeout> } | null>(null);
  const cancel = () => {
    if (timers.current !== null) {
      cancelAnimationFrame(timers.current.frame);
      clearTimeout(timers.current.hidden);
      timers.current = null;
    }
  };
  const flush = () => {
    cancel();
    latest.current(waiting.current.splice(0));
  };
  useEffect(() => cancel, []);
  return (item) => {
    waiting.current.push(item);
    timers.current ??= { frame: requestAnimationFrame(flush), hidden: setTimeout(flush, HIDDEN_MS) };
  };
}

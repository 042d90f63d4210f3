import { useEffect, useState } from "preact/hooks";

const TICK_MS = 10_000;

/** The present time in milliseconds; it changes every ten seconds. */
export function useNow(): number {
  const [nowMs, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}

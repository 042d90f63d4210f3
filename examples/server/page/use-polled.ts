import { useEffect, useState } from "react";

/** How often what is shown is asked for again, while the page is visible. */
const POLL_MS = 1_000;

/** The newest answer of `ask`, which is called every second; null until the first. `ask` must stay the same function. */
export function usePolled<Answer>(ask: () => Promise<Answer>): Answer | null {
  const [answer, setAnswer] = useState<Answer | null>(null);
  useEffect(() => {
    let isCurrent = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = async () => {
      if (document.visibilityState === "visible") {
        // A host that restarts is asked again.
        const newest = await ask().catch(() => null);
        if (isCurrent && newest !== null) {
          setAnswer(newest);
        }
      }
      if (isCurrent) {
        timer = setTimeout(() => void again(), POLL_MS);
      }
    };
    void again();
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [ask]);
  return answer;
}

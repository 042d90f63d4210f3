import type { Result } from "@belfry/client";
import { useCallback } from "react";
import { useInbox } from "./inbox-context.ts";

/** Waits for the result of a change, and says it: `said` if it was done, that it could not be done if not. */
export function useChange(): (result: Promise<Result>, said: string) => void {
  const { announce, texts } = useInbox();
  return useCallback(
    (result, said) => {
      announce(said);
      void result.then(({ ok }) => ok || announce(texts.refused));
    },
    [announce, texts],
  );
}

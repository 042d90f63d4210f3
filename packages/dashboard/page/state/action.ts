import { useState } from "preact/hooks";
import { announce } from "./announcements.ts";
import { ApiFailure } from "./api.ts";

/** An action behind a button: under way, failed, or neither. */
export interface Action {
  readonly isBusy: boolean;
  readonly failure: ApiFailure | null;
  /** Does the work, unless some is under way; resolves with whether it succeeded. */
  run(work: () => Promise<void>): Promise<boolean>;
}

/** Runs one action at a time; keeps a failure to show it, and announces it. */
export function useAction(): Action {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | null>(null);
  return {
    isBusy,
    failure,
    async run(work) {
      if (isBusy) {
        return false;
      }
      setBusy(true);
      setFailure(null);
      try {
        await work();
        return true;
      } catch (error) {
        const shown = ApiFailure.of(error);
        setFailure(shown);
        announce(shown.message);
        return false;
      } finally {
        setBusy(false);
      }
    },
  };
}

import { useState } from "preact/hooks";
import { announce } from "./announcements.ts";
import { ApiFailure } from "./api.ts";

/** Something a person has done by a button: under way, failed, or neither. */
export interface Action {
  readonly isBusy: boolean;
  readonly failure: ApiFailure | null;
  /** Does it, unless it is under way; resolves with whether it went well. */
  run(work: () => Promise<void>): Promise<boolean>;
}

/** One action at a time; what went wrong is kept to be shown, and said. */
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

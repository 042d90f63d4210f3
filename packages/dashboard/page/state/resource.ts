import { useEffect, useState } from "preact/hooks";
import { ApiFailure } from "./api.ts";

/** Something asked of the server. While it is asked for anew, what is known stays. */
export interface Resource<Value> {
  readonly value: Value | null;
  /** What went wrong the last time; null when all went well. */
  readonly failure: ApiFailure | null;
  readonly isLoading: boolean;
  /** Asks again. */
  reload(): void;
}

interface Held<Value> {
  readonly key: string;
  readonly value: Value | null;
  readonly failure: ApiFailure | null;
  readonly isLoading: boolean;
}

/**
 * Asks for something. `key` names what is asked for: another key forgets the old answer, while another `revision` keeps
 * it on show until the new one is there.
 */
export function useResource<Value>(key: string, load: (signal: AbortSignal) => Promise<Value>, revision: number = 0): Resource<Value> {
  const [held, setHeld] = useState<Held<Value>>({ key, value: null, failure: null, isLoading: true });
  const [reloads, setReloads] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    setHeld((before) => ({
      key,
      value: before.key === key ? before.value : null,
      failure: before.key === key ? before.failure : null,
      isLoading: true,
    }));
    load(controller.signal).then(
      (value) => setHeld((before) => (controller.signal.aborted ? before : { key, value, failure: null, isLoading: false })),
      (error: unknown) => {
        if (!controller.signal.aborted) {
          const failure = error instanceof ApiFailure ? error : new ApiFailure(String(error), 0);
          setHeld((before) => ({ ...before, failure, isLoading: false }));
        }
      },
    );
    return () => controller.abort();
  }, [key, revision, reloads]);
  const isSame = held.key === key;
  return {
    value: isSame ? held.value : null,
    failure: isSame ? held.failure : null,
    isLoading: !isSame || held.isLoading,
    reload: () => setReloads((before) => before + 1),
  };
}

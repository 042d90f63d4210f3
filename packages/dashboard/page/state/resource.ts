import { useEffect, useRef, useState } from "preact/hooks";
import { ApiFailure } from "./api.ts";

/** Something loaded from the server. While it loads anew, the last value stays. */
export interface Resource<Value> {
  readonly value: Value | null;
  /** The failure of the last request; null if it succeeded. */
  readonly failure: ApiFailure | null;
  readonly isLoading: boolean;
  /** Loads it again. */
  reload(): void;
}

interface Held<Value> {
  readonly key: string;
  readonly value: Value | null;
  readonly failure: ApiFailure | null;
  readonly isLoading: boolean;
}

/** A request that has no answer yet. */
interface Question {
  readonly key: string;
  readonly controller: AbortController;
  readonly askedAtMs: number;
  /** Something changed since the request began: its answer is shown, and another request follows. */
  isStale: boolean;
}

/** How long a request may take before a newer one replaces it: fast changes must not cancel every request. */
const PATIENCE_MS = 30_000;

/** How soon a request is repeated if the server could not be reached. */
const RETRY_MS = 5_000;

/**
 * Loads something from the server. A new `key` forgets the old value; a new `revision` keeps it on show until the new
 * one is there. If the server cannot be reached, the request is repeated every 5 seconds.
 */
export function useResource<Value>(key: string, load: (signal: AbortSignal) => Promise<Value>, revision: number = 0): Resource<Value> {
  const [held, setHeld] = useState<Held<Value>>({ key, value: null, failure: null, isLoading: true });
  const [reloads, setReloads] = useState(0);
  const asked = useRef<Question | null>(null);
  const reload = () => setReloads((before) => before + 1);
  useEffect(() => {
    const before = asked.current;
    if (before?.key === key && Date.now() - before.askedAtMs < PATIENCE_MS) {
      before.isStale = true;
      return;
    }
    before?.controller.abort();
    const question: Question = { key, controller: new AbortController(), askedAtMs: Date.now(), isStale: false };
    asked.current = question;
    setHeld((known) => (known.key === key ? { ...known, isLoading: true } : { key, value: null, failure: null, isLoading: true }));
    const answered = (change: (known: Held<Value>) => Held<Value>) => {
      if (asked.current !== question) {
        return;
      }
      asked.current = null;
      setHeld(change);
      if (question.isStale) {
        reload();
      }
    };
    load(question.controller.signal).then(
      (value) => answered(() => ({ key, value, failure: null, isLoading: false })),
      (error: unknown) => answered((known) => ({ ...known, failure: ApiFailure.of(error), isLoading: false })),
    );
  }, [key, revision, reloads]);
  useEffect(
    () => () => {
      asked.current?.controller.abort();
      asked.current = null;
    },
    [],
  );
  const isSame = held.key === key;
  const failure = isSame ? held.failure : null;
  useEffect(() => {
    if (!failure?.isUnreachable) {
      return;
    }
    const timer = setTimeout(reload, RETRY_MS);
    return () => clearTimeout(timer);
  }, [failure]);
  return { value: isSame ? held.value : null, failure, isLoading: !isSame || held.isLoading, reload };
}

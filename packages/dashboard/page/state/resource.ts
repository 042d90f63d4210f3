import { useEffect, useRef, useState } from "preact/hooks";
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

/** A question that has no answer yet. */
interface Question {
  readonly key: string;
  readonly controller: AbortController;
  readonly askedAtMs: number;
  /** Something changed since it was asked: its answer is shown, and asked for once more. */
  isStale: boolean;
}

/** How long an answer is waited for before a newer question takes its place: changes that come fast must not stop every answer. */
const PATIENCE_MS = 30_000;

/** How soon a server that could not be reached is asked again. */
const RETRY_MS = 5_000;

/**
 * Asks for something. `key` names what is asked for: another key forgets the old answer, while another `revision` keeps
 * it on show until the new one is there. A server that cannot be reached is asked again every 5 seconds.
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

import type { RetriedAll } from "@belfry/core";
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "../parts/dialog.tsx";
import { Button } from "../parts/fields.tsx";
import { keepKeyboard } from "../parts/keyboard.ts";
import { FailureNote, Loading } from "../parts/states.tsx";
import { type Action, useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { get, post } from "../state/api.ts";
import { counted, number } from "../state/format.ts";
import { type Resource, useResource } from "../state/resource.ts";
import type { SearchFilter } from "./search-filter.ts";

/** How many sends one step retries. Between steps the dialog shows its progress, and a person can stop it. */
const STEP = 25;

/** One press retries at most this many sends; another press goes on with older ones. */
const BOUND = 1_000;

interface RetryAllDialogProps {
  readonly filter: SearchFilter;
  onClose(): void;
}

interface Progress {
  readonly retried: number;
  /** How many sends the steps have covered; those that somebody else changed meanwhile are not retried. */
  readonly asked: number;
  readonly remaining: number;
  /** The cursor of the next older ones; null at the end. */
  readonly cursor: string | null;
}

const NOTHING_DONE: Progress = { retried: 0, asked: 0, remaining: 0, cursor: null };

interface Retries {
  /** Null before the first step is done. */
  readonly progress: Progress | null;
  readonly action: Action;
  /** Retries, newest first, until the steps have covered this many since the beginning. */
  run(until: number): void;
  stop(): void;
}

function useRetries(filter: SearchFilter): Retries {
  const [progress, setProgress] = useState<Progress | null>(null);
  const isStopped = useRef(false);
  const action = useAction();
  const run = (until: number) =>
    void action.run(async () => {
      let { retried, asked, cursor } = progress ?? NOTHING_DONE;
      do {
        const limit = Math.min(STEP, until - asked);
        const step: RetriedAll = await post<RetriedAll>("retries", { limit, ...(cursor !== null && { cursor }) }, filter);
        // Each step goes on with older sends, so one that fails again at once is not retried twice.
        ({ nextCursor: cursor } = step);
        retried += step.retried;
        asked += limit;
        setProgress({ retried, asked, remaining: step.remaining, cursor });
      } while (cursor !== null && asked < until && !isStopped.current);
      announce(`${counted(retried, "notification")} retried.`);
    });
  const stop = () => {
    isStopped.current = true;
  };
  return { progress, action, run, stop };
}

/** Retries every failed send that matches the search. It counts them before and after, and shows its progress. */
export function RetryAllDialog({ filter, onClose }: RetryAllDialogProps) {
  const before = useResource(JSON.stringify(filter), (signal) => get<{ matched: number }>("retries", filter, signal));
  const { progress, action, run, stop } = useRetries(filter);
  const [until, setUntil] = useState(BOUND);
  const goal = Math.min(before.value?.matched ?? 0, until);
  const actions = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The button that started it is gone by then; the focus moves to the one that stops it.
    if (progress !== null) {
      keepKeyboard(actions.current?.querySelector<HTMLElement>("button:last-child"));
    }
  }, [progress === null, action.isBusy]);
  const goOn = () => {
    const next = BOUND * Math.ceil(((progress?.asked ?? 0) + 1) / BOUND);
    setUntil(next);
    run(next);
  };
  const close = () => {
    stop();
    onClose();
  };
  return (
    <Dialog title="Retry what failed" onClose={close}>
      <CountBefore before={before} goal={goal} isFiltered={Object.keys(filter).length > 0} />
      {progress === null ? null : <ProgressNote progress={progress} goal={goal} isDone={!action.isBusy} />}
      <FailureNote failure={action.failure} what="The retries stopped." />
      <div class="dialog-actions" ref={actions}>
        {progress === null ? (
          <Button kind="primary" isBusy={action.isBusy} isDisabled={goal === 0} onPress={() => run(goal)}>
            Retry {goal > 0 ? number(goal) : ""}
          </Button>
        ) : null}
        {progress !== null && progress.cursor !== null && !action.isBusy ? (
          <Button kind="primary" onPress={goOn}>
            Go on with older ones
          </Button>
        ) : null}
        <Button onPress={close}>{action.isBusy ? "Stop" : "Close"}</Button>
      </div>
    </Dialog>
  );
}

interface CountBeforeProps {
  readonly before: Resource<{ readonly matched: number }>;
  readonly goal: number;
  readonly isFiltered: boolean;
}

function CountBefore({ before, goal, isFiltered }: CountBeforeProps) {
  if (before.value === null) {
    return before.failure === null ? (
      <Loading what="how many failed" rows={1} />
    ) : (
      <FailureNote failure={before.failure} what="They could not be counted." onRetry={before.reload} />
    );
  }
  const { matched } = before.value;
  const scope = isFiltered ? "that match the search" : "in all";
  if (matched === 0) {
    return <p>There are no failed or partly failed sends {scope}.</p>;
  }
  return (
    <p>
      <strong data-testid="matched">{number(matched)}</strong> failed or partly failed {matched === 1 ? "send" : "sends"} {scope}. Each is
      tried again on a fresh schedule; what was delivered is left alone.
      {matched > goal ? ` The newest ${number(goal)} are retried now.` : ""}
    </p>
  );
}

function ProgressNote({ progress: { retried, remaining }, goal, isDone }: { progress: Progress; goal: number; isDone: boolean }) {
  return (
    <div class="progress">
      <progress value={retried} max={goal} aria-label="Retried" />
      <p data-testid="retried">
        {number(retried)} of {number(goal)} retried{isDone ? `; ${counted(remaining, "failed send")} left` : "…"}
      </p>
    </div>
  );
}

import type { RetriedAll } from "@belfry/core";
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "../parts/dialog.tsx";
import { Button } from "../parts/fields.tsx";
import { FailureNote, Loading } from "../parts/states.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { get, post } from "../state/api.ts";
import { counted, number } from "../state/format.ts";
import { type Resource, useResource } from "../state/resource.ts";
import type { SearchFilter } from "./search-filter.ts";

/** How many are retried at a time: between them the progress shows, and it can be stopped. */
const STEP = 25;

/** The most that one confirmation retries. */
const BOUND = 1_000;

interface RetryAllDialogProps {
  readonly filter: SearchFilter;
  onClose(): void;
}

interface Progress {
  readonly retried: number;
  readonly remaining: number;
}

/** Retries every failed send that matches the search: counted before, shown while it goes on, counted after. */
export function RetryAllDialog({ filter, onClose }: RetryAllDialogProps) {
  const before = useResource(JSON.stringify(filter), (signal) => get<{ matched: number }>("retries", filter, signal));
  const [progress, setProgress] = useState<Progress | null>(null);
  const isStopped = useRef(false);
  const action = useAction();
  const actions = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The button that began it is gone then; the one that stops it has the keyboard.
    if (progress !== null) {
      actions.current?.querySelector("button")?.focus();
    }
  }, [progress === null]);
  const goal = Math.min(before.value?.matched ?? 0, BOUND);
  const start = () =>
    void action.run(async () => {
      let [retried, asked] = [0, 0];
      let cursor: string | null = null;
      do {
        const limit = Math.min(STEP, goal - asked);
        const step: RetriedAll = await post<RetriedAll>("retries", { limit, ...(cursor !== null && { cursor }) }, filter);
        // What fails again at once is not retried a second time: each step goes on with older ones.
        ({ nextCursor: cursor } = step);
        retried += step.retried;
        asked += limit;
        setProgress({ retried, remaining: step.remaining });
      } while (cursor !== null && asked < goal && !isStopped.current);
      announce(`${counted(retried, "notification")} retried.`);
    });
  const close = () => {
    isStopped.current = true;
    onClose();
  };
  return (
    <Dialog title="Retry what failed" onClose={close}>
      <CountBefore before={before} goal={goal} isFiltered={Object.keys(filter).length > 0} />
      {progress === null ? null : <ProgressNote progress={progress} goal={goal} isDone={!action.isBusy} />}
      <FailureNote failure={action.failure} what="The retries stopped." />
      <div class="dialog-actions" ref={actions}>
        {progress === null ? (
          <Button kind="primary" isBusy={action.isBusy} isDisabled={goal === 0} onPress={start}>
            Retry {goal > 0 ? number(goal) : ""}
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

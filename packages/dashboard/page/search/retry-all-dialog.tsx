import type { RetryRun } from "@belfry/core";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Button } from "../parts/fields.tsx";
import { keepKeyboard } from "../parts/keyboard.ts";
import { FailureNote, Loading } from "../parts/states.tsx";
import { Time } from "../parts/time.tsx";
import { type Action, useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { get, post } from "../state/api.ts";
import { number } from "../state/format.ts";
import { type Resource, useResource } from "../state/resource.ts";
import type { SearchFilter } from "./search-filter.ts";

type Run = Json<RetryRun>;

/** How often the dialog asks how far a run is. */
const POLL_MS = 500;

/** The server counts no further than this. */
const COUNT_LIMIT = 10_000;

interface RetryAllDialogProps {
  readonly filter: SearchFilter;
  onClose(): void;
}

interface RunState {
  /** Null before one is started or chosen. */
  readonly run: Run | null;
  readonly action: Action;
  /** Resolves with whether the server said that it has begun. */
  start(): Promise<boolean>;
  move(verb: "pause" | "resume" | "cancel"): Promise<boolean>;
  choose(run: Run): void;
}

/** Starts a run, or follows one, until it has ended. */
function useRun(filter: SearchFilter): RunState {
  const [run, setRun] = useState<Run | null>(null);
  const action = useAction();
  const isRunning = run?.state === "running";
  useEffect(() => {
    if (run === null || !isRunning) {
      return;
    }
    const controller = new AbortController();
    const timer = setTimeout(
      () =>
        void get<Run>(`retry-runs/${run.id}`, {}, controller.signal)
          .then((now) => {
            setRun(now);
            if (now.state === "finished") {
              announce(`${number(now.retried)} of ${number(now.looked)} tried again.`);
            }
          })
          // Asks again: the run goes on without this page.
          .catch(() => setRun((known) => (controller.signal.aborted || known === null ? known : { ...known }))),
      POLL_MS,
    );
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [run]);
  const act = (path: string, query: SearchFilter = {}) => action.run(async () => setRun(await post<Run>(path, {}, query)));
  return {
    run,
    action,
    start: () => act("retry-runs", filter),
    move: (verb) => act(`retry-runs/${run?.id}/${verb}`),
    choose: (chosen) => void action.run(async () => setRun(chosen)),
  };
}

/** Tries again every send that matches the search and failed, or is tried again later: in the background, with its progress on show. */
export function RetryAllDialog({ filter, onClose }: RetryAllDialogProps) {
  const before = useResource(JSON.stringify(filter), (signal) => get<{ matched: number }>("retries", filter, signal));
  const runs = useResource("runs", (signal) => get<{ runs: readonly Run[] }>("retry-runs", { limit: 5 }, signal));
  const { run, action, start, move, choose } = useRun(filter);
  const actions = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The button that was pressed may be gone by then; the focus moves to the last one.
    if (run !== null) {
      keepKeyboard(actions.current?.querySelector<HTMLElement>("button:last-child"));
    }
  }, [run?.state]);
  const begin = async () => {
    if (!(await start())) {
      // It may have begun all the same: the answer alone may have been lost.
      runs.reload();
    }
  };
  const matched = before.value?.matched ?? 0;
  const isOpen = run?.state === "running" || run?.state === "paused";
  return (
    <Dialog title="Try again what failed" onClose={onClose}>
      {run === null ? <CountBefore before={before} isFiltered={Object.keys(filter).length > 0} /> : <Progress run={run} />}
      <FailureNote failure={action.failure} what="That did not work." />
      <div class="dialog-actions" ref={actions}>
        {run === null ? (
          <Button kind="primary" isBusy={action.isBusy} isDisabled={matched === 0} onPress={begin}>
            Try {matched > 0 ? countedUp(matched) : ""} again
          </Button>
        ) : null}
        {isOpen ? (
          <>
            <Button isBusy={action.isBusy} onPress={() => move(run.state === "running" ? "pause" : "resume")}>
              {run.state === "running" ? "Pause" : "Resume"}
            </Button>
            <Button kind="danger" isBusy={action.isBusy} onPress={() => move("cancel")}>
              End it
            </Button>
          </>
        ) : null}
        <Button onPress={onClose}>Close</Button>
      </div>
      {run === null ? <Runs runs={runs} onChoose={choose} /> : null}
    </Dialog>
  );
}

function countedUp(count: number): string {
  return count >= COUNT_LIMIT ? `${number(COUNT_LIMIT)} or more` : number(count);
}

interface CountBeforeProps {
  readonly before: Resource<{ readonly matched: number }>;
  readonly isFiltered: boolean;
}

function CountBefore({ before, isFiltered }: CountBeforeProps) {
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
    return <p>Nothing {scope} failed or waits for another attempt.</p>;
  }
  return (
    <p>
      <strong data-testid="matched">{countedUp(matched)}</strong> {matched === 1 ? "send" : "sends"} {scope} failed, or wait for another
      attempt. What failed gets a fresh schedule; what waits goes out now; what was delivered is left alone. This goes on in the background.
    </p>
  );
}

const STATE_WORDS: Readonly<Record<Run["state"], string>> = {
  running: "…",
  paused: "; paused",
  finished: "; finished",
  cancelled: "; ended before its time",
};

/** How far a run is, in words. */
function progressWords({ looked, matched, retried, state }: Run): string {
  const left = looked - retried;
  const others = left === 0 ? "" : `, ${number(left)} left alone since they had changed`;
  return `${number(retried)} of ${countedUp(Math.max(looked, matched))} tried again${others}${STATE_WORDS[state]}`;
}

function Progress({ run }: { readonly run: Run }) {
  return (
    <div class="progress">
      <progress value={run.looked} max={Math.max(run.looked, run.matched, 1)} aria-label="Tried again" />
      <p data-testid="retried">{progressWords(run)}</p>
    </div>
  );
}

function Runs({ runs, onChoose }: { readonly runs: Resource<{ readonly runs: readonly Run[] }>; onChoose(run: Run): void }) {
  const known = runs.value?.runs ?? [];
  if (known.length === 0) {
    return null;
  }
  return (
    <section aria-label="Earlier runs">
      <h3>Earlier</h3>
      <ul class="runs">
        {known.map((run) => (
          <li key={run.id}>
            <Time date={run.createdAt} /> by <bdi>{run.actor}</bdi>: {progressWords(run)}{" "}
            {run.state === "running" || run.state === "paused" ? (
              <Button kind="quiet" label={`Show the run of ${run.createdAt}`} onPress={() => onChoose(run)}>
                Show
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

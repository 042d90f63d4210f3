import type { ActivityPage, ActivitySummary } from "@belfry/core";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Button } from "../parts/fields.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { SummaryStatus } from "../parts/status.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { nameOf, Recipients } from "../search/result-table.tsx";
import { announce } from "../state/announcements.ts";
import { get } from "../state/api.ts";
import { counted, timeOfDay } from "../state/format.ts";
import { useFrames } from "../state/frames.ts";
import { useLiveEvents, useRevision } from "../state/live.ts";
import { placeUrl } from "../state/place.ts";
import { type Resource, useResource } from "../state/resource.ts";

/** How many lines the view keeps; Search finds older ones. */
const KEPT = 200;

type Summary = Json<ActivitySummary>;
type Lines = ReadonlyMap<string, Summary>;

/** Shows notifications as they are created, until a person pauses it. */
export function LiveView() {
  const { first, lines, held, isPaused, toggle } = useTail();
  return (
    <>
      <ViewTitle title="Live">
        {isPaused ? <span class="muted">{counted(held, "change")} held back</span> : null}
        <Button onPress={toggle}>
          <Icon name={isPaused ? "play" : "pause"} />
          {isPaused ? "Resume" : "Pause"}
        </Button>
      </ViewTitle>
      <section class="card" aria-label="Newest first">
        <FailureNote failure={first.failure} what="The newest notifications could not be loaded." onRetry={first.reload} />
        <Tail lines={lines} first={first} />
      </section>
    </>
  );
}

interface TailState {
  readonly first: Resource<Json<ActivityPage>>;
  /** Newest first. */
  readonly lines: readonly Summary[];
  /** How many notifications are new, or have another status, since the pause. */
  readonly held: number;
  readonly isPaused: boolean;
  toggle(): void;
}

function useTail(): TailState {
  // After a reconnection, or a burst too large for the stream, the view loads anew.
  const revision = useRevision(() => false);
  /** Notifications from the stream since the last request: an answer that is older than they are must not undo them. */
  const told = useRef(new Set<string>());
  const [known, setKnown] = useState<Lines>(new Map());
  const [shown, setShown] = useState<Lines | null>(null);
  const load = (signal: AbortSignal) => {
    told.current = new Set();
    return get<Json<ActivityPage>>("activity", { limit: 100 }, signal);
  };
  const first = useResource("live", load, revision);
  useEffect(() => {
    if (first.value === null) {
      return;
    }
    const { notifications, nextCursor } = first.value;
    const answered = notifications.filter(({ id }) => !told.current.has(id));
    // Notifications within the answer's range that are not in it are gone.
    const end = nextCursor === null ? "" : (notifications.at(-1)?.id ?? "");
    setKnown((before) => newest([...[...before.values()].filter(({ id }) => told.current.has(id) || id < end), ...answered]));
  }, [first.value]);
  const addLater = useFrames<Summary>((summaries) => setKnown((before) => newest([...before.values(), ...summaries])));
  useLiveEvents((event) => {
    if (event.name === "notification") {
      const { notification } = event.data;
      told.current.add(notification.id);
      addLater(notification);
    }
  });
  const isPaused = shown !== null;
  // This counts differences, not events: after a reconnection the stream repeats some events.
  const held = shown === null ? 0 : [...known.values()].filter(({ id, status }) => shown.get(id)?.status !== status).length;
  return {
    first,
    lines: [...(shown ?? known).values()],
    held,
    isPaused,
    toggle() {
      setShown(isPaused ? null : known);
      announce(isPaused ? "Resumed." : "Paused.");
    },
  };
}

/** The newest of these, newest first; if a notification is in there twice, the later summary. */
function newest(summaries: readonly Summary[]): Lines {
  const byId = new Map(summaries.map((summary) => [summary.id, summary]));
  const sorted = [...byId].sort(([one], [other]) => (one < other ? 1 : -1));
  return new Map(sorted.slice(0, KEPT));
}

function Tail({ lines, first }: { readonly lines: readonly Summary[]; readonly first: TailState["first"] }) {
  if (lines.length === 0) {
    if (first.value === null) {
      return first.failure === null ? <Loading what="the newest notifications" rows={8} /> : null;
    }
    return <Empty title="Nothing yet">What is created from now on appears here.</Empty>;
  }
  return (
    <ul class="tail" data-testid="tail">
      {lines.map(lineOf)}
    </ul>
  );
}

/** Lines as they were made: one whose notification is the same is the very same, and is not rendered again. */
const made = new WeakMap<Summary, VNode>();

function lineOf(summary: Summary): VNode {
  const line = made.get(summary) ?? <Line key={summary.id} summary={summary} />;
  made.set(summary, line);
  return line;
}

function Line({ summary }: { readonly summary: Summary }) {
  return (
    <li>
      <time dateTime={summary.createdAt}>{timeOfDay(summary.createdAt)}</time>
      <SummaryStatus summary={summary} />
      <Link to={placeUrl("notification", { id: summary.id })} class="tail-name">
        {nameOf(summary)}
      </Link>
      <span class="muted tail-more">
        {summary.type} · <Recipients summary={summary} />
      </span>
    </li>
  );
}

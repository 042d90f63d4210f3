import { useEffect, useRef, useState } from "preact/hooks";
import { LiveConnection, type LiveEvent, type LiveState } from "./live-connection.ts";

/** Changes this close together cause one request. */
const COALESCE_MS = 150;

let connection: LiveConnection | null = null;

/** The page's one live connection, opened at first use. */
function live(): LiveConnection {
  connection ??= new LiveConnection();
  return connection;
}

/** How long the page waits for its stream before it loads anything: a proxy may hold the stream back. */
const PATIENCE_MS = 1_000;

/** Resolves once the stream has caught up: what is loaded after that need not be loaded again. */
export function whenLive(): Promise<void> {
  return new Promise((resolve) => {
    if (live().state !== "connecting") {
      resolve();
      return;
    }
    const done = () => {
      stop();
      clearTimeout(timer);
      resolve();
    };
    const stop = live().onState(done);
    const timer = setTimeout(done, PATIENCE_MS);
  });
}

/** How the page learns of changes at this moment. */
export function useLiveState(): LiveState {
  const [state, setState] = useState(() => live().state);
  useEffect(() => {
    // The state may have changed before this listener was added.
    setState(live().state);
    return live().onState(setState);
  }, []);
  return state;
}

/** Calls the latest `listener` with every live event. */
export function useLiveEvents(listener: (event: LiveEvent) => void): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => live().onEvent((event) => latest.current(event)), []);
}

/** A number that grows when a view should load anew. `matters` says whether an event is about that view. */
export function useRevision(matters: (event: LiveEvent) => boolean, delayMs: number = COALESCE_MS): number {
  const [revision, setRevision] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useLiveEvents((event) => {
    const concerns = event.name === "notification" || event.name === "inbox" ? matters(event) : true;
    if (concerns && timer.current === undefined) {
      timer.current = setTimeout(() => {
        timer.current = undefined;
        setRevision((before) => before + 1);
      }, delayMs);
    }
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  return revision;
}

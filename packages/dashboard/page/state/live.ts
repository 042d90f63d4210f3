import { useEffect, useRef, useState } from "preact/hooks";
import { LiveConnection, type LiveEvent, type LiveState } from "./live-connection.ts";

/** Changes that come close together are looked at once. */
const COALESCE_MS = 150;

let connection: LiveConnection | null = null;

/** Opened by whoever needs it first, and kept: the page has one. */
function live(): LiveConnection {
  connection ??= new LiveConnection();
  return connection;
}

/** How the page learns of changes at this moment. */
export function useLiveState(): LiveState {
  const [state, setState] = useState(() => live().state);
  useEffect(() => {
    // It may have changed before the page began to listen.
    setState(live().state);
    return live().onState(setState);
  }, []);
  return state;
}

/** Calls `listener`, the latest one given, with every live event. */
export function useLiveEvents(listener: (event: LiveEvent) => void): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => live().onEvent((event) => latest.current(event)), []);
}

/** A number that grows when what is shown should be asked for anew: `matters` says whether an event is about it. */
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

import type { ClientSnapshot, PreferenceList, PushSnapshot, PushState, Result } from "@belfry/client";
import type { InboxFilter, InboxItem, InboxView, InboxViewState, RegisteredClient } from "../src/hooks/registered-client.ts";

/** A client whose state a test sets. It has no server. */
export interface FakeClient extends RegisteredClient {
  /** Calls of `start` and `stop`, and changes, in their order. */
  readonly calls: unknown[][];
  setState(state: Partial<ClientSnapshot>): void;
  setView(filter: InboxFilter, state: Partial<InboxViewState>): void;
  receive(item: InboxItem): void;
  setPush(state: Partial<PushSnapshot>): void;
  /** What changes of preferences come to. */
  answerWith(answer: Result<PreferenceList> | Promise<Result<PreferenceList>>): void;
}

const IDLE: ClientSnapshot = { counts: null, connection: "idle", pending: 0, error: null };
const EMPTY: InboxViewState = { items: [], top: [], status: "idle", hasMore: false, isLoadingMore: false, counts: null, error: null };

const SETTINGS = { timeZone: null, quietHours: null, pauseUntil: null, digest: null };
const COMMENT = {
  type: "comment",
  label: "New comment",
  category: "social",
  channels: [{ channel: "email", value: "on", source: "default", isChangeable: true }],
} as const;
export const PREFERENCES: PreferenceList = {
  types: [COMMENT],
  categories: [{ category: "social", label: "Social" }],
  choices: [],
  settings: SETTINGS,
};

class Value<State> {
  readonly listeners = new Set<() => void>();
  state: State;

  constructor(state: State) {
    this.state = state;
  }

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };
  readonly getSnapshot = () => this.state;

  set(state: Partial<State>): void {
    this.state = { ...this.state, ...state };
    for (const listener of this.listeners) {
      listener();
    }
  }
}

/** Makes a client that notes what it is asked for. */
export function fakeClient(): FakeClient {
  const calls: unknown[][] = [];
  const state = new Value(IDLE);
  const push = new Value<PushSnapshot>({ state: "not_offered", isBusy: false, error: null });
  const views = new Map<string, Value<InboxViewState>>();
  const received = new Set<(item: InboxItem) => void>();
  let answer: Result<PreferenceList> | Promise<Result<PreferenceList>> = { ok: true, value: PREFERENCES };
  const viewOf = (filter: InboxFilter = {}) => {
    const key = JSON.stringify(filter);
    const view = views.get(key) ?? new Value(EMPTY);
    views.set(key, view);
    return view;
  };
  const noting =
    <Outcome>(name: string, outcome: () => Outcome) =>
    async (...input: unknown[]) => {
      calls.push([name, ...input]);
      return outcome();
    };
  const done = <Value>(value: Value): Result<Value> => ({ ok: true, value });
  const change = (name: string) => noting(name, () => done(1));
  const view = (filter?: InboxFilter): InboxView => {
    const { subscribe, getSnapshot } = viewOf(filter);
    return { subscribe, getSnapshot, fetchMore: async () => {}, refresh: async () => {} };
  };
  return {
    calls,
    setState: (changed) => state.set(changed),
    setView: (filter, changed) => viewOf(filter).set(changed),
    setPush: (changed) => push.set(changed),
    receive: (item) => received.forEach((listener) => void listener(item)),
    answerWith(given) {
      answer = given;
    },
    start: () => void calls.push(["start"]),
    stop: () => void calls.push(["stop"]),
    subscribe: state.subscribe,
    getSnapshot: state.getSnapshot,
    view,
    groups: noting("groups", () => done({ groups: [], nextCursor: null })),
    group: () => ({ markRead: change("markRead"), archive: change("archive"), snooze: change("snooze"), remove: change("remove") }),
    markSeen: change("markSeen"),
    markUnseen: change("markUnseen"),
    markRead: change("markRead"),
    markUnread: change("markUnread"),
    archive: change("archive"),
    unarchive: change("unarchive"),
    pin: change("pin"),
    unpin: change("unpin"),
    snooze: change("snooze"),
    wake: change("wake"),
    remove: change("remove"),
    markAllRead: change("markAllRead"),
    markAllSeen: change("markAllSeen"),
    archiveAll: change("archiveAll"),
    removeRead: change("removeRead"),
    on(event: string, listener: (about: never) => void) {
      const own = listener as (item: InboxItem) => void;
      if (event === "received") {
        received.add(own);
      }
      return () => void received.delete(own);
    },
    preferences: {
      get: async () => ({ ok: true, value: PREFERENCES }),
      set: noting("set", () => answer),
      setSettings: noting("setSettings", () => answer),
      takeBack: noting("takeBack", () => answer),
      explain: noting("explain", () => done([])),
    },
    push: {
      subscribe: push.subscribe,
      getSnapshot: push.getSnapshot,
      enable: noting("enable", () => done<PushState>("on")),
      disable: noting("disable", () => done<PushState>("off")),
    },
    topics: {
      list: noting("list", () => done({ subscriptions: [], nextCursor: null })),
      subscribe: noting("subscribe", () => done(undefined)),
      unsubscribe: noting("unsubscribe", () => done(undefined)),
    },
  };
}

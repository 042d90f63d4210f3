import { useCallback, useSyncExternalStore } from "react";

/** What tells of its changes, and gives its state as an object that stays the same until something changes. */
interface Store<State> {
  subscribe(listener: () => void): () => void;
  getSnapshot(): State;
}

/** A part of a store's state. `select` must give what stays the same while the state does. */
export function useStore<State, Part>(store: Store<State>, select: (state: State) => Part): Part {
  const subscribe = useCallback((listener: () => void) => store.subscribe(listener), [store]);
  const read = () => select(store.getSnapshot());
  return useSyncExternalStore(subscribe, read, read);
}

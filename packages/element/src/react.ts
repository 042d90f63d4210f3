// What the components of `@belfry/react` use of React, made of Preact's own parts. Preact's whole stand-in for React is twice as large as Preact.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

export { createContext } from "preact";
export { useCallback, useContext, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

/** React's hook of this name, for states that are read in the browser alone. */
export function useSyncExternalStore<State>(subscribe: (listener: () => void) => () => void, read: () => State): State {
  const state = read();
  const [, setCount] = useState(0);
  const shown = useRef({ state, read });
  useLayoutEffect(() => {
    shown.current = { state, read };
  });
  useEffect(() => {
    const look = () => {
      if (!Object.is(shown.current.state, shown.current.read())) {
        setCount((count) => count + 1);
      }
    };
    // It may have changed since it was rendered.
    look();
    return subscribe(look);
  }, [subscribe]);
  return state;
}

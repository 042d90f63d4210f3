// What the components of `@belfry/react` use of React, made of Preact's own parts. Preact's whole stand-in for React is twice as large as Preact.
import { Component, type ComponentType, createElement } from "preact";
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

/** React's function of this name. An element that is kept, and given out again, would hold on to all that was rendered with it before. */
export function memo<Props extends object>(Shown: ComponentType<Props>): ComponentType<Props> {
  return class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Props): boolean {
      const [before, after] = [Object.entries(this.props), new Map(Object.entries(next))];
      return before.length !== after.size || before.some(([name, value]) => !Object.is(value, after.get(name)));
    }

    override render() {
      return createElement(Shown, this.props);
    }
  };
}

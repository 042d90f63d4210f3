// What the components of `@belfry/react` use of React, made of Preact's own parts. Preact's whole stand-in for React is twice as large as Preact.
import { type ComponentType, createElement, type VNode } from "preact";
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

/** React's function of this name: a component that is rendered again only with other properties. */
export function memo<Props extends object>(Shown: ComponentType<Props>): (props: Props) => VNode<Props> {
  return function Memo(props) {
    const rendered = useRef<{ readonly props: Props; readonly node: VNode<Props> } | null>(null);
    if (rendered.current === null || !areSame(rendered.current.props, props)) {
      rendered.current = { props, node: createElement(Shown, props) };
    }
    // Preact leaves a node that is the same object as it is.
    return rendered.current.node;
  };
}

function areSame(before: object, after: object): boolean {
  const [entries, others] = [Object.entries(before), Object.entries(after)];
  return (
    entries.length === others.length &&
    entries.every(([name, value], index) => others[index]?.[0] === name && Object.is(value, others[index][1]))
  );
}

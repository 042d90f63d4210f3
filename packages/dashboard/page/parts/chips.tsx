import { useRef } from "preact/hooks";
import { Icon } from "./icon.tsx";
import { viewTitle } from "./view-title.tsx";

interface ChipsProps {
  /** The name and the words of each filter in use. */
  readonly chips: readonly (readonly [name: string, words: string])[];
  onRemove(name: string): void;
}

/** The filters in use, each with a button that takes it away. The focus moves to the next one, or to the view's title after the last. */
export function Chips({ chips, onRemove }: ChipsProps) {
  const list = useRef<HTMLUListElement>(null);
  if (chips.length === 0) {
    return null;
  }
  const remove = (name: string, place: number) => {
    const buttons = list.current?.querySelectorAll("button");
    (buttons?.[place + 1] ?? buttons?.[place - 1] ?? viewTitle())?.focus();
    onRemove(name);
  };
  return (
    <ul class="chips" aria-label="Filters in use" ref={list}>
      {chips.map(([name, words], place) => (
        <li key={name} class="chip">
          {words}
          <button type="button" class="chip-end" onClick={() => remove(name, place)}>
            <Icon name="remove" />
            <span class="visually-hidden">Take away: {words}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

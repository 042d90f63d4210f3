import type { ComponentChildren, RefObject, TargetedEvent } from "preact";
import { Button } from "./fields.tsx";
import { fieldOf } from "./form-values.ts";

interface FiltersProps {
  readonly form: RefObject<HTMLFormElement>;
  /** The name of the first filter. */
  readonly first: string;
  /** Whether any filter is in use. */
  readonly isFiltered: boolean;
  /** The fields. */
  readonly children: ComponentChildren;
  onSearch(form: HTMLFormElement): void;
  onClear(): void;
}

/** A form of filters over a list. */
export function Filters({ form, first, isFiltered, children, onSearch, onClear }: FiltersProps) {
  const submit = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSearch(event.currentTarget);
  };
  const clear = () => {
    // The button disappears; the focus moves to the first filter.
    fieldOf(form.current, first)?.focus();
    onClear();
  };
  return (
    <search>
      <form ref={form} class="filters" onSubmit={submit}>
        {children}
        <div class="form-actions">
          <Button type="submit" kind="primary">
            Search
          </Button>
          {isFiltered ? (
            <Button kind="quiet" onPress={clear}>
              Clear
            </Button>
          ) : null}
        </div>
      </form>
    </search>
  );
}

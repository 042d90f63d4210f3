import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

/** The field of a form with this name; null if there is none. */
export function fieldOf(form: HTMLFormElement | null, name: string): HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement | null {
  const field = form?.elements.namedItem(name);
  const isField = field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement;
  return isField ? field : null;
}

/** The texts of the named fields of a form or an address, without space around them; empty ones are missing. */
export function givenTexts(fields: Iterable<readonly [string, unknown]>, names: readonly string[]): Readonly<Record<string, string>> {
  const texts = [...fields].map(([name, value]) => [name, String(value).trim()] as const);
  return Object.fromEntries(texts.filter(([name, text]) => text !== "" && names.includes(name)));
}

/**
 * Fills in a form whenever `values` change. The fields themselves stay, and so does the focus in one of them.
 */
export function useFormValues(form: RefObject<HTMLFormElement>, values: Readonly<Record<string, string>>): void {
  useEffect(() => {
    for (const [name, value] of Object.entries(values)) {
      const field = fieldOf(form.current, name);
      if (field !== null) {
        field.value = value;
      }
    }
  }, [JSON.stringify(values)]);
}

import { useRef } from "preact/hooks";
import { SelectField, TextField } from "../parts/fields.tsx";
import { Filters } from "../parts/filters.tsx";
import { givenTexts, useFormValues } from "../parts/form-values.ts";

/** The names of the filters of processing records, in the address and in the API. */
const NAMES = ["state", "source", "handlerId", "error"] as const;

/** The filters as texts; unused ones are missing. */
export type RecordFilter = Readonly<Partial<Record<(typeof NAMES)[number], string>>>;

/** Reads the filters from an address or a form. */
export function readRecordFilter(fields: Iterable<readonly [string, unknown]>): RecordFilter {
  return givenTexts(fields, NAMES);
}

const STATES = [
  ["", "Any"],
  ["failed", "Failed"],
  ["retrying", "Retrying"],
  ["running", "Running"],
  ["due", "Due"],
  ["completed", "Completed"],
] as const;

interface RecordFilterProps {
  readonly filter: RecordFilter;
  onSearch(filter: RecordFilter): void;
}

/** The filters of processing records. */
export function RecordFilterForm({ filter, onSearch }: RecordFilterProps) {
  const form = useRef<HTMLFormElement>(null);
  useFormValues(form, Object.fromEntries(NAMES.map((name) => [name, filter[name] ?? ""])));
  const text = (name: (typeof NAMES)[number]) => ({ name, value: filter[name] ?? "" });
  return (
    <Filters
      form={form}
      first="state"
      isFiltered={Object.keys(filter).length > 0}
      onSearch={(fields) => onSearch(readRecordFilter(new FormData(fields)))}
      onClear={() => onSearch({})}
    >
      <SelectField label="State" {...text("state")} options={STATES} />
      <TextField label="Error has" {...text("error")} />
      <TextField label="Source" {...text("source")} />
      <TextField label="Handler" {...text("handlerId")} placeholder="Its id" />
    </Filters>
  );
}

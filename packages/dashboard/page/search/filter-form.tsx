import type { RefObject } from "preact";
import { SelectField, TextField } from "../parts/fields.tsx";
import { Filters } from "../parts/filters.tsx";
import { useFormValues } from "../parts/form-values.ts";
import { FILTER_NAMES, localTime, readForm, type SearchFilter } from "./search-filter.ts";

const STATUSES = [
  ["", "Any"],
  ["pending", "Pending"],
  ["sent", "Sent"],
  ["delivered", "Delivered"],
  ["failed", "Failed"],
  ["partial", "Partial"],
  ["skipped", "Skipped"],
  ["cancelled", "Cancelled"],
] as const;

/** The states of deliveries that a person looks for. */
const STATES = [
  ["", "Any"],
  ["scheduled", "Scheduled"],
  ["due", "Due"],
  ["running", "Running"],
  ["retrying", "Retrying"],
  ["held", "Held back"],
  ["sent", "Sent"],
  ["delivered", "Delivered"],
  ["failed", "Failed"],
  ["skipped", "Skipped"],
  ["cancelled", "Cancelled"],
] as const;

const KINDS = [
  ["", "Any"],
  ["message", "Message"],
  ["send", "Send"],
  ["event", "Event"],
] as const;

interface FilterFormProps {
  /** The form itself, for others who read its fields. */
  readonly form: RefObject<HTMLFormElement>;
  readonly filter: SearchFilter;
  onSearch(filter: SearchFilter): void;
}

/** The filters of a search. */
export function FilterForm({ form, filter, onSearch }: FilterFormProps) {
  const [from, before] = [localTime(filter.from), localTime(filter.before)];
  useFormValues(form, { ...Object.fromEntries(FILTER_NAMES.map((name) => [name, filter[name] ?? ""])), from, before });
  return (
    <Filters
      form={form}
      first="recipient"
      isFiltered={Object.keys(filter).length > 0}
      onSearch={(fields) => onSearch(readForm(fields, filter))}
      onClear={() => onSearch({})}
    >
      <TextField label="Recipient" name="recipient" value={filter.recipient ?? ""} placeholder="User, address, URL" />
      <TextField label="Type" name="type" value={filter.type ?? ""} />
      <TextField label="Channel" name="channel" value={filter.channel ?? ""} placeholder="inbox, email, webhook" />
      <SelectField label="Status" name="status" value={filter.status ?? ""} options={STATUSES} />
      <SelectField label="Any delivery is" name="state" value={filter.state ?? ""} options={STATES} />
      <SelectField label="Kind" name="kind" value={filter.kind ?? ""} options={KINDS} />
      <TextField label="From" name="from" type="datetime-local" value={from} />
      <TextField label="Before" name="before" type="datetime-local" value={before} />
      <TextField label="Id" name="id" value={filter.id ?? ""} />
    </Filters>
  );
}

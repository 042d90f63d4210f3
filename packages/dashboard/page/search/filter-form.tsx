import type { RefObject } from "preact";
import { Proposals, SelectField, TextField } from "../parts/fields.tsx";
import { Filters } from "../parts/filters.tsx";
import { useFormValues } from "../parts/form-values.ts";
import { formValues, readForm, type SearchFilter } from "./search-filter.ts";
import { useProposals } from "./use-proposals.ts";

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

/** The filters that are used less often. */
const RARE = ["error", "providerId", "idempotencyKey", "id"] as const;

interface FilterFormProps {
  /** The form itself, for others who read its fields. */
  readonly form: RefObject<HTMLFormElement>;
  readonly filter: SearchFilter;
  onSearch(filter: SearchFilter): void;
}

/** The filters of a search. */
export function FilterForm({ form, filter, onSearch }: FilterFormProps) {
  const values = formValues(filter);
  const proposed = useProposals();
  useFormValues(form, values);
  const text = (name: keyof SearchFilter) => ({ name, value: values[name] ?? "" });
  return (
    <Filters
      form={form}
      first="recipientPrefix"
      isFiltered={Object.keys(filter).length > 0}
      onSearch={(fields) => onSearch(readForm(fields, filter))}
      onClear={() => onSearch({})}
    >
      <div class="filter-fields" onFocusIn={proposed.onFocusIn} onInput={proposed.onInput}>
        <TextField label="Recipient" {...text("recipientPrefix")} placeholder="Begins with…" list="recipients" />
        <TextField label="User" {...text("user")} placeholder="At every address" list="recipients" />
        <TextField label="Type" {...text("type")} list="types" />
        <TextField label="Channel" {...text("channel")} placeholder="inbox, email, webhook" list="channels" />
        <SelectField label="Status" {...text("status")} options={STATUSES} />
        <SelectField label="Any delivery is" {...text("state")} options={STATES} />
        <SelectField label="Kind" {...text("kind")} options={KINDS} />
        <TextField label="From" {...text("from")} type="datetime-local" />
        <TextField label="Before" {...text("before")} type="datetime-local" />
        <details class="rare" open={RARE.some((name) => filter[name] !== undefined)}>
          <summary>More filters</summary>
          <div class="filter-fields">
            <TextField label="Error has" {...text("error")} />
            <TextField label="Provider's id" {...text("providerId")} placeholder="Message-ID, SID" />
            <TextField label="Idempotency key" {...text("idempotencyKey")} placeholder="Begins with…" />
            <TextField label="Id" {...text("id")} />
          </div>
        </details>
        <Proposals id="recipients" values={proposed.recipients} />
        <Proposals id="types" values={proposed.types} />
        <Proposals id="channels" values={proposed.channels} />
      </div>
    </Filters>
  );
}

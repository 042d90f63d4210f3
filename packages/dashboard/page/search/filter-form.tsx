import type { TargetedEvent } from "preact";
import { Button, SelectField, TextField } from "../parts/fields.tsx";
import { localTime, readFilter, type SearchFilter } from "./search-filter.ts";

const STATUSES = [
  ["", "Any"],
  ["pending", "Pending"],
  ["sent", "Sent"],
  ["delivered", "Delivered"],
  ["failed", "Failed"],
  ["partial", "Partial"],
  ["cancelled", "Cancelled"],
] as const;

const KINDS = [
  ["", "Any"],
  ["message", "Message"],
  ["send", "Send"],
  ["event", "Event"],
] as const;

interface FilterFormProps {
  readonly filter: SearchFilter;
  onSearch(filter: SearchFilter): void;
}

/** The filters of a search. */
export function FilterForm({ filter, onSearch }: FilterFormProps) {
  const submit = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSearch(readFilter(new FormData(event.currentTarget)));
  };
  return (
    <search>
      <form class="filters" onSubmit={submit}>
        <TextField label="Recipient" name="recipient" value={filter.recipient ?? ""} placeholder="User, address, URL" />
        <TextField label="Type" name="type" value={filter.type ?? ""} />
        <TextField label="Channel" name="channel" value={filter.channel ?? ""} placeholder="inbox, email, webhook" />
        <SelectField label="Status" name="status" value={filter.status ?? ""} options={STATUSES} />
        <SelectField label="Kind" name="kind" value={filter.kind ?? ""} options={KINDS} />
        <TextField label="From" name="from" type="datetime-local" value={localTime(filter.from)} />
        <TextField label="Before" name="before" type="datetime-local" value={localTime(filter.before)} />
        <TextField label="Id" name="id" value={filter.id ?? ""} />
        <div class="form-actions">
          <Button type="submit" kind="primary">
            Search
          </Button>
          {Object.keys(filter).length === 0 ? null : (
            <Button kind="quiet" onPress={() => onSearch({})}>
              Clear
            </Button>
          )}
        </div>
      </form>
    </search>
  );
}

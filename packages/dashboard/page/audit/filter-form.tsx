import { useRef } from "preact/hooks";
import { SelectField, TextField } from "../parts/fields.tsx";
import { Filters } from "../parts/filters.tsx";
import { useFormValues } from "../parts/form-values.ts";
import { localTime } from "../search/search-filter.ts";
import { ACTION_WORDS, type AuditFilter, FILTER_NAMES, readForm, TARGET_WORDS } from "./audit-filter.ts";

const ACTIONS = [["", "Any"] as const, ...Object.entries(ACTION_WORDS)];
const TARGETS = [["", "Anything"] as const, ...Object.entries(TARGET_WORDS)];

interface FilterFormProps {
  readonly filter: AuditFilter;
  onSearch(filter: AuditFilter): void;
}

/** The filters of the audit log. */
export function FilterForm({ filter, onSearch }: FilterFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [from, until] = [localTime(filter.from), localTime(filter.until)];
  useFormValues(form, { ...Object.fromEntries(FILTER_NAMES.map((name) => [name, filter[name] ?? ""])), from, until });
  return (
    <Filters
      form={form}
      first="actor"
      isFiltered={Object.keys(filter).length > 0}
      onSearch={(fields) => onSearch(readForm(fields, filter))}
      onClear={() => onSearch({})}
    >
      <TextField label="By" name="actor" value={filter.actor ?? ""} placeholder="ann, host" maxLength={255} />
      <SelectField label="Action" name="action" value={filter.action ?? ""} options={ACTIONS} />
      <SelectField label="Done to" name="targetKind" value={filter.targetKind ?? ""} options={TARGETS} />
      <TextField label="User or run" name="targetId" value={filter.targetId ?? ""} maxLength={255} />
      <TextField label="Notification's id" name="notificationId" value={filter.notificationId ?? ""} />
      <TextField label="From" name="from" type="datetime-local" value={from} />
      <TextField label="Until" name="until" type="datetime-local" value={until} />
    </Filters>
  );
}

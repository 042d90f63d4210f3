import type { SuppressionReason } from "@belfry/core";
import { useRef } from "preact/hooks";
import { SelectField, TextField } from "../parts/fields.tsx";
import { Filters } from "../parts/filters.tsx";
import { givenTexts, useFormValues } from "../parts/form-values.ts";

/** The names of the filters, in the page's address and in the API. */
const FILTER_NAMES = ["prefix", "channel", "reason"] as const;

/** The filters of the list as texts; unused ones are missing. */
export type SuppressionFilter = Readonly<Partial<Record<(typeof FILTER_NAMES)[number], string>>>;

/** Why an address is suppressed, in words. */
export const REASON_WORDS: Readonly<Record<SuppressionReason, string>> = {
  hard_bounce: "Bounced for good",
  soft_bounces: "Bounced several times",
  complaint: "Called spam",
  unsubscribed: "Unsubscribed",
  manual: "By hand",
};

const REASONS = [["", "Any"] as const, ...Object.entries(REASON_WORDS)];

/** Reads the filters from an address or a form. */
export function readFilter(fields: Iterable<readonly [string, unknown]>): SuppressionFilter {
  return givenTexts(fields, FILTER_NAMES);
}

interface FilterFormProps {
  readonly filter: SuppressionFilter;
  onSearch(filter: SuppressionFilter): void;
}

/** The filters of the list. */
export function FilterForm({ filter, onSearch }: FilterFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const { prefix = "", channel = "", reason = "" } = filter;
  useFormValues(form, { prefix, channel, reason });
  return (
    <Filters
      form={form}
      first="prefix"
      isFiltered={Object.keys(filter).length > 0}
      onSearch={(fields) => onSearch(readFilter(new FormData(fields)))}
      onClear={() => onSearch({})}
    >
      <TextField label="Begins with" name="prefix" value={prefix} placeholder="ann@, +49" maxLength={500} />
      <TextField label="Channel" name="channel" value={channel} placeholder="email, sms" />
      <SelectField label="Reason" name="reason" value={reason} options={REASONS} />
    </Filters>
  );
}

import type { AuditAction, AuditTargetKind } from "@belfry/core";
import { givenTexts } from "../parts/form-values.ts";
import { localTime } from "../search/search-filter.ts";

/** The names of the filters, in the page's address and in the API. */
export const FILTER_NAMES = ["actor", "action", "notificationId", "targetKind", "targetId", "from", "until"] as const;

/** The filters of the audit log as texts; unused ones are missing. Times are ISO 8601. */
export type AuditFilter = Readonly<Partial<Record<(typeof FILTER_NAMES)[number], string>>>;

/** What somebody did, in words. */
export const ACTION_WORDS: Readonly<Record<AuditAction, string>> = {
  created: "Created",
  updated: "Changed",
  cancelled: "Cancelled",
  retried: "Retry asked for",
  deleted: "Deleted",
  read: "Marked as read",
  user_exported: "Exported a user's data",
  user_deleted: "Deleted a user's data",
  suppressed: "Suppressed an address",
  lifted: "Lifted an address",
  paused: "Paused deliveries",
  resumed: "Resumed deliveries",
  retries_started: "Started to retry",
  retries_paused: "Paused a retry",
  retries_resumed: "Resumed a retry",
  retries_cancelled: "Ended a retry",
};

/** What it was done to, in words. */
export const TARGET_WORDS: Readonly<Record<AuditTargetKind, string>> = {
  user: "user",
  address: "an address",
  channel: "channel",
  retry_run: "retry run",
  record: "processing record",
};

const TIMES = ["from", "until"] as const;

/** Reads the filters from an address or a form. An invalid time stays: the server refuses it. */
export function readFilter(fields: Iterable<readonly [string, unknown]>): AuditFilter {
  const filter: AuditFilter = givenTexts(fields, FILTER_NAMES);
  const times = TIMES.map((name) => [name, new Date(filter[name] ?? "")] as const).filter(([, time]) => !Number.isNaN(time.getTime()));
  return { ...filter, ...Object.fromEntries(times.map(([name, time]) => [name, time.toISOString()])) };
}

/** Reads the filters from the form that shows `filter`. A time field holds whole minutes; an unchanged one keeps its seconds. */
export function readForm(form: HTMLFormElement, filter: AuditFilter): AuditFilter {
  const fields = new FormData(form);
  for (const name of TIMES) {
    const kept = filter[name];
    if (kept !== undefined && fields.get(name) === localTime(kept)) {
      fields.set(name, kept);
    }
  }
  return readFilter(fields);
}

import { BelfryError } from "../foundation/errors.ts";
import { fingerprint } from "../foundation/fingerprint.ts";
import type { ActivityFilter } from "./activity.ts";

/** The search that a cursor belongs to. Any other search refuses the cursor. */
export interface ActivityScope {
  readonly tenant: string;
  readonly filter: ActivityFilter;
}

/**
 * Encodes the position where the next page of a search starts: the last notification's id without its dashes, then a
 * checksum of the id, the tenant and the filter. The checksum only finds mistakes. It does not control access, because every
 * query names its tenant.
 */
export function encodeActivityCursor(id: string, scope: ActivityScope): string {
  return `${id.replaceAll("-", "")}-${check(id, scope)}`;
}

/**
 * Returns the part of a query that starts it behind `cursor`, if there is one. Throws `INVALID_CURSOR` for an edited cursor
 * or one of another search.
 */
export function afterCursor(cursor: string | undefined, scope: ActivityScope): { readonly after?: string } {
  if (cursor === undefined) {
    return {};
  }
  const parts = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})-[0-9a-z]{1,13}$/.exec(cursor);
  const after = parts === null ? null : parts.slice(1).join("-");
  if (after === null || encodeActivityCursor(after, scope) !== cursor) {
    throw new BelfryError("INVALID_CURSOR", "The cursor is not one that a call with this filter gave. Start again without a cursor.");
  }
  return { after };
}

function check(id: string, { tenant, filter }: ActivityScope): string {
  const { kind, recipient, type, channel, status, from, before } = filter;
  const values = [filter.id, kind, recipient, type, channel, status, from?.getTime(), before?.getTime()];
  return fingerprint([id, tenant, ...values.map((value) => value ?? null)]);
}

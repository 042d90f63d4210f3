import type { Acting } from "../delivery/index.ts";
import { type ChecksOf, pageChecks } from "../foundation/issue-list.ts";
import { NAME_RULE, stringIssue, text } from "../foundation/parse-text.ts";
import { idIssue } from "./parse-filter.ts";

const MAX_RETRIES = 1_000;

/** Options of a retry of all matching sends. */
export interface RetryAllOptions extends Acting {
  /** The most sends to retry, newest first, 1 to 1,000. @default 100 */
  readonly limit?: number;
  /** The `nextCursor` of the call before, to go on with older ones; it works with the same filter only. */
  readonly cursor?: string;
}

/** Options of a retry of one send. */
export interface RetryOptions extends Acting {
  /** Only what this delivery belongs to: the delivery over a channel to a recipient, and its fallback. @default everything */
  readonly deliveryId?: string;
}

/** The checks of {@link RetryAllOptions}. */
export const RETRY_ALL: ChecksOf<RetryAllOptions> = { limit: pageChecks(MAX_RETRIES).limit, cursor: stringIssue, actor: text(NAME_RULE) };
/** The checks of {@link RetryOptions}. */
export const RETRY: ChecksOf<RetryOptions> = { deliveryId: idIssue, actor: text(NAME_RULE) };

import type { Issue } from "../foundation/errors.ts";
import { type MembersOf, requireMembers } from "../foundation/issue-list.ts";
import { type FallbackInput, INBOX_CHANNEL, type UntypedCreateInput } from "../notifications/index.ts";

/** The fallback channel if the caller names none. */
export const DEFAULT_FALLBACK = "email";

const MAX_DELAY_MS = 30 * 24 * 60 * 60 * 1_000;

const FALLBACK_MEMBERS: MembersOf<FallbackInput> = { channel: true, afterMs: true };

/** Reads `fallback`, with its defaults; null for none. */
export function parseFallback(input: UntypedCreateInput["fallback"]): {
  readonly input: Required<FallbackInput> | null;
  readonly issues: readonly Issue[];
} {
  if (input === undefined || input === false) {
    return { input: null, issues: [] };
  }
  if (input !== true) {
    requireMembers("fallback", input, FALLBACK_MEMBERS);
  }
  const { channel = DEFAULT_FALLBACK, afterMs = 0 } = input === true ? {} : input;
  if (typeof channel !== "string" || channel === INBOX_CHANNEL || !Number.isFinite(afterMs) || afterMs < 0 || afterMs > MAX_DELAY_MS) {
    const message = `must name a channel other than ${INBOX_CHANNEL}, and wait 0 to ${MAX_DELAY_MS} ms`;
    return { input: null, issues: [{ path: ["fallback"], type: "value_error", message }] };
  }
  return { input: { channel, afterMs: Math.round(afterMs) }, issues: [] };
}

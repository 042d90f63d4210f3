import { BoundedList, cut } from "../foundation/bounded-list.ts";
import { BelfryError } from "../foundation/errors.ts";
import { validationError } from "../foundation/issue-list.ts";
import { describe, NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import type { Channel } from "./channel.ts";

const MAX_RECIPIENTS = 10_000;
const SHOWN_LENGTH = 320;

/** Checks a send's recipients for its channels; each is kept once, in the order given. */
export function parseSendRecipients(
  to: unknown,
  channels: readonly (Channel | null)[],
  { acceptsIds }: { readonly acceptsIds: boolean },
): readonly string[] {
  const list: readonly unknown[] = Array.isArray(to) ? to : [to];
  if (list.length === 0 || list.length > MAX_RECIPIENTS) {
    const message =
      list.length === 0 ? "must name at least one" : `must name at most ${MAX_RECIPIENTS}, names ${list.length}; split the list`;
    throw validationError([{ path: ["to"], type: list.length === 0 ? "too_short" : "too_long", message }]);
  }
  const distinct = [...new Set(list)];
  const invalid = new BoundedList<unknown>();
  const valid = new BoundedList<unknown>();
  let first: string | null = null;
  for (const recipient of distinct) {
    const problem = firstProblem(recipient, channels, acceptsIds);
    first ??= problem === null ? null : `${shown(recipient)} ${problem}`;
    (problem === null ? valid : invalid).add(() => shownValue(recipient));
  }
  if (first !== null) {
    const others = invalid.values.length + invalid.more - 1;
    throw new BelfryError(
      "INVALID_RECIPIENTS",
      `One or more recipients are invalid: ${first}${others > 0 ? `, and ${others} more` : ""}.`,
      {
        details: { invalid: invalid.values, valid: valid.values },
      },
    );
  }
  return distinct as readonly string[];
}

/** Why `recipient` cannot be reached over the first channel that it does not fit, or null. */
function firstProblem(recipient: unknown, channels: readonly (Channel | null)[], acceptsIds: boolean): string | null {
  for (const channel of channels) {
    const problem = problemOf(recipient, channel, acceptsIds);
    if (problem !== null) {
      return problem;
    }
  }
  return null;
}

/** Why `recipient` cannot be reached over `channel` (null: the inbox), or null. */
function problemOf(recipient: unknown, channel: Channel | null, acceptsIds: boolean): string | null {
  const issue = textIssue(recipient, [], channel === null ? NAME_RULE : { minLength: 1, maxLength: 4_096 });
  if (issue || typeof recipient !== "string") {
    return issue?.message ?? "is no text";
  }
  const problem = channel?.invalidRecipient(recipient) ?? null;
  return problem !== null && acceptsIds && isId(recipient) ? null : problem;
}

/** Whether a text that is no address can be a user id for the directory: what looks like an address was meant as one. */
function isId(recipient: string): boolean {
  return textIssue(recipient, [], NAME_RULE) === null && !/[@\s:/,;<>]/.test(recipient);
}

function shown(recipient: unknown): string {
  return typeof recipient === "string" ? JSON.stringify(cut(recipient)) : `a ${typeof recipient}`;
}

function shownValue(recipient: unknown): unknown {
  if (typeof recipient === "string") {
    return cut(recipient, SHOWN_LENGTH);
  }
  return typeof recipient === "object" && recipient !== null ? describe(recipient) : recipient;
}

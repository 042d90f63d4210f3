import { BelfryError, validationError } from "../foundation/errors.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import type { Channel } from "./channel.ts";

const MAX_RECIPIENTS = 10_000;
const SHOWN = 20;

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
  const invalid = distinct.filter((recipient) => channels.some((channel) => problemOf(recipient, channel, acceptsIds) !== null));
  if (invalid.length > 0) {
    const [first] = invalid;
    const problem = channels.map((channel) => problemOf(first, channel, acceptsIds)).find((found) => found !== null);
    throw new BelfryError(
      "INVALID_RECIPIENTS",
      `One or more recipients are invalid: ${shown(first)} ${problem}${invalid.length > 1 ? `, and ${invalid.length - 1} more` : ""}.`,
      {
        details: {
          invalid: invalid.slice(0, SHOWN).map(shownValue),
          valid: distinct.filter((recipient) => !invalid.includes(recipient)).slice(0, SHOWN),
        },
      },
    );
  }
  return distinct as readonly string[];
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
  return typeof recipient === "string" ? JSON.stringify(recipient.slice(0, 100)) : `a ${typeof recipient}`;
}

function shownValue(recipient: unknown): unknown {
  return typeof recipient === "string" ? recipient.slice(0, 4_096) : recipient;
}

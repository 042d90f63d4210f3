import { BoundedList, cut } from "../foundation/bounds.ts";
import { BelfryError } from "../foundation/errors.ts";
import { validationError } from "../foundation/issue-list.ts";
import { describe, NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import { Coalesced } from "../work/coalesced.ts";
import type { Channel, DeliveryFailure, Directory } from "./channel.ts";
import type { Delivery } from "./delivery.ts";

interface Wanted {
  readonly tenant: string;
  readonly userId: string;
  readonly channel: string;
}

/** Finds a recipient's address for a channel. If the recipient is not an address, it asks the host's directory. */
export class Addresses {
  readonly #directory: Directory | null;
  readonly #found: Coalesced<Wanted, unknown>;

  constructor(directory: Directory | null) {
    this.#directory = directory;
    this.#found = new Coalesced((wanted) => this.#lookUp(wanted));
  }

  /** Returns the address, or the reason why there is none. The directory's time counts as the attempt's, which is limited. */
  async of({ tenant, recipient }: Delivery, channel: Channel): Promise<string | DeliveryFailure> {
    const { name } = channel;
    const failed = (error: string, transient: boolean): DeliveryFailure => ({ status: "failed", transient, error, provider: name });
    try {
      if (channel.invalidRecipient(recipient) === null) {
        return recipient;
      }
    } catch (error) {
      return failed(checkFailure(name, error), false);
    }
    if (this.#directory === null) {
      return failed(`The recipient is no address for ${name}, and the service has no directory to ask for one.`, false);
    }
    let address: unknown;
    try {
      address = await this.#found.get({ tenant, userId: recipient, channel: name });
    } catch (error) {
      return failed(`The host's directory failed: ${textOf(error)}`, !(error instanceof WrongAnswer));
    }
    if (address === null || address === undefined) {
      return failed(`The host's directory knows no ${name} address of this user.`, false);
    }
    if (typeof address !== "string") {
      return failed(
        `The host's directory gave a value of the type ${describe(address)} as the ${name} address of this user; expected a text.`,
        false,
      );
    }
    try {
      const invalid = channel.invalidRecipient(address);
      return invalid === null ? address : failed(`The ${name} address that the host's directory gave ${invalid}.`, false);
    } catch (error) {
      return failed(checkFailure(name, error), false);
    }
  }

  async #lookUp(wanted: readonly Wanted[]): Promise<readonly unknown[]> {
    const contacts = new Map<string, ReadonlyMap<string, unknown>>();
    for (const [tenant, group] of Map.groupBy(wanted, (one) => one.tenant)) {
      const ids = [...new Set(group.map(({ userId }) => userId))];
      const answer: unknown = (await this.#directory?.(ids, { tenant })) ?? new Map();
      if (!(answer instanceof Map)) {
        throw new WrongAnswer(`it answered a value of the type ${describe(answer)}; expected a Map of user ids to contacts.`);
      }
      contacts.set(tenant, answer);
    }
    return wanted.map(({ tenant, userId, channel }) => {
      const contact = contacts.get(tenant)?.get(userId) as Readonly<Record<string, unknown>> | null | undefined;
      return contact?.[channel];
    });
  }
}

/** A wrong answer of the directory that another attempt would not change. */
class WrongAnswer extends Error {}

function checkFailure(name: string, error: unknown): string {
  return `The channel ${name} could not check an address, its invalidRecipient() threw: ${textOf(error)}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

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

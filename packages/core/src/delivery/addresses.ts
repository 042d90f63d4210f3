import { BoundedList, cut } from "../foundation/bounds.ts";
import { BelfryError, textOf } from "../foundation/errors.ts";
import { validationError } from "../foundation/issue-list.ts";
import { describe, NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import { Coalesced } from "../work/batch-queue.ts";
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
    try {
      if (problemOfAddress(channel, recipient) === null) {
        return recipient;
      }
      if (this.#directory === null) {
        throw new NoAddress(`The recipient is no address for ${name}, and the service has no directory to ask for one.`);
      }
      return checkAddress(channel, await this.#found.get({ tenant, userId: recipient, channel: name }));
    } catch (error) {
      const isFinal = error instanceof NoAddress;
      const text = isFinal ? error.message : `The host's directory failed: ${textOf(error)}`;
      return { status: "failed", transient: !isFinal, error: text, provider: name };
    }
  }

  async #lookUp(wanted: readonly Wanted[]): Promise<readonly unknown[]> {
    const contacts = new Map<string, ReadonlyMap<string, unknown>>();
    for (const [tenant, group] of Map.groupBy(wanted, (one) => one.tenant)) {
      const ids = [...new Set(group.map(({ userId }) => userId))];
      const answer: unknown = (await this.#directory?.(ids, { tenant })) ?? new Map();
      if (!(answer instanceof Map)) {
        const got = describe(answer);
        throw new NoAddress(`The host's directory failed: it answered a value of the type ${got}; expected a Map of user ids to contacts.`);
      }
      contacts.set(tenant, answer);
    }
    return wanted.map(({ tenant, userId, channel }) => {
      const contact = contacts.get(tenant)?.get(userId) as Readonly<Record<string, unknown>> | null | undefined;
      return contact?.[channel];
    });
  }
}

/** Why there is no address, and why another attempt would find none either. */
class NoAddress extends Error {}

/** Why `address` is none, or null. The check is the host's own code and may throw. */
function problemOfAddress(channel: Channel, address: string): string | null {
  try {
    return channel.invalidRecipient(address);
  } catch (error) {
    throw new NoAddress(`The channel ${channel.name} could not check an address, its invalidRecipient() threw: ${textOf(error)}`);
  }
}

function checkAddress(channel: Channel, address: unknown): string {
  const { name } = channel;
  if (address === null || address === undefined) {
    throw new NoAddress(`The host's directory knows no ${name} address of this user.`);
  }
  if (typeof address !== "string") {
    const got = describe(address);
    throw new NoAddress(`The host's directory gave a value of the type ${got} as the ${name} address of this user; expected a text.`);
  }
  const problem = problemOfAddress(channel, address);
  if (problem !== null) {
    throw new NoAddress(`The ${name} address that the host's directory gave ${problem}.`);
  }
  return address;
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
  if (list.length === 0) {
    throw validationError([{ path: ["to"], type: "too_short", message: "must name at least one" }]);
  }
  if (list.length > MAX_RECIPIENTS) {
    const message = `must name at most ${MAX_RECIPIENTS}, names ${list.length}; split the list`;
    throw validationError([{ path: ["to"], type: "too_long", message }]);
  }
  const distinct = [...new Set(list)];
  const invalid = new BoundedList<unknown>();
  const valid = new BoundedList<unknown>();
  let first: string | null = null;
  for (const recipient of distinct) {
    const problem = channels.reduce<string | null>((known, channel) => known ?? problemOf(recipient, channel, acceptsIds), null);
    first ??= problem === null ? null : `${shown(recipient)} ${problem}`;
    (problem === null ? valid : invalid).add(() => shownValue(recipient));
  }
  if (first !== null) {
    const others = invalid.values.length + invalid.more - 1;
    const message = `One or more recipients are invalid: ${first}${others > 0 ? `, and ${others} more` : ""}.`;
    throw new BelfryError("INVALID_RECIPIENTS", message, { details: { invalid: invalid.values, valid: valid.values } });
  }
  return distinct as readonly string[];
}

/** Why `recipient` cannot be reached over `channel` (null: the inbox), or null. */
function problemOf(recipient: unknown, channel: Channel | null, acceptsIds: boolean): string | null {
  if (typeof recipient !== "string") {
    return "is no text";
  }
  const issue = textIssue(recipient, [], channel === null ? NAME_RULE : { minLength: 1, maxLength: 4_096 });
  if (issue) {
    return issue.message;
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

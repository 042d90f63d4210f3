import { BoundedList, cut } from "../foundation/bounds.ts";
import { BelfryError, type Issue } from "../foundation/errors.ts";
import { validationError } from "../foundation/issue-list.ts";
import { describe, isPlain, NAME_RULE, shown, textIssue } from "../foundation/parse-text.ts";
import { INBOX_CHANNEL, parseExcept, type UntypedCreateInput } from "../notifications/index.ts";
import type { Channel } from "./channel.ts";

const MAX_RECIPIENTS = 10_000;
const SHOWN_LENGTH = 320;

/** Who gets a notification with deliveries: users over their channels, and addresses, each over its own. */
export interface Audience {
  /** The channels over which users get it. */
  readonly channels: readonly string[];
  /** Each once, in the order given. */
  readonly users: readonly string[];
  readonly addresses: readonly AddressOf[];
  /** The names of users and the texts of addresses, each once, in the order given. */
  readonly recipients: readonly string[];
}

/** An address of a channel. */
export interface AddressOf {
  readonly channel: string;
  readonly address: string;
}

/** Reads who gets a notification. Whether they can be reached is checked by {@link checkAudience}. */
export function parseAudience(
  { to, except }: Pick<UntypedCreateInput, "to" | "except">,
  { channels, hasFallback }: { readonly channels: readonly string[]; readonly hasFallback: boolean },
): Audience {
  requireTo(to);
  const list: readonly unknown[] = Array.isArray(to) ? to : [to];
  requireLength(list.length);
  const left = parseExcept(except);
  const users = new Set<string>();
  const addresses = new Map<string, AddressOf>();
  const recipients = new Set<string>();
  for (const [index, one] of list.entries()) {
    const address = typeof one === "object" && one !== null ? addressOf(one, Array.isArray(to) ? ["to", index] : ["to"]) : null;
    if (address !== null) {
      addresses.set(JSON.stringify([address.channel, address.address]), address);
      recipients.add(address.address);
    } else if (!left.has(one as string)) {
      users.add(one as string);
      recipients.add(one as string);
    }
  }
  if (hasFallback && addresses.size > 0 && !list.some((one) => typeof one === "string")) {
    const message = "stands in for a channel of a user; an address has one channel only, and to names no user";
    throw validationError([{ path: ["fallback"], type: "value_error", message }]);
  }
  return { channels, users: [...users], addresses: [...addresses.values()], recipients: [...recipients] };
}

function requireTo(to: unknown): void {
  if (typeof to !== "string" && (typeof to !== "object" || to === null)) {
    const message = `must be a user's id, an address such as { email: "ann@example.com" }, or a list of these; got ${describe(to)}`;
    throw validationError([{ path: ["to"], type: to === undefined ? "missing" : "value_error", message }]);
  }
}

function requireLength(length: number): void {
  if (length === 0) {
    throw validationError([{ path: ["to"], type: "too_short", message: "must name at least one" }]);
  }
  if (length > MAX_RECIPIENTS) {
    const message = `must name at most ${MAX_RECIPIENTS}, names ${length}; split the list`;
    throw validationError([{ path: ["to"], type: "too_long", message }]);
  }
}

/** Reads an address such as `{ email: "ann@example.com" }`. */
function addressOf(given: object, path: Issue["path"]): AddressOf {
  const members = isPlain(given) ? Object.entries(given) : [];
  const [[channel, address] = ["", undefined], ...others] = members;
  if (channel === "" || channel === INBOX_CHANNEL || others.length > 0 || typeof address !== "string") {
    const got = members.length === 0 ? describe(given) : `an object of ${cut(Object.keys(given).join(", "))}`;
    const message = `must be a user's id, or one channel's address such as { email: "ann@example.com" }; got ${got}`;
    throw validationError([{ path, type: "value_error", message }]);
  }
  return { channel, address };
}

/** How users are found who are no addresses of a channel: in the host's directory, which may be missing; or recipients have to be addresses. */
type LookUp = "directory" | "no directory" | "addresses";

/** Refuses an audience of which somebody cannot be reached. @param used its channels by name @throws BelfryError `INVALID_RECIPIENTS` */
export function checkAudience({ channels, users, addresses }: Audience, used: ReadonlyMap<string, Channel | null>, lookUp: LookUp): void {
  const invalid = new BoundedList<unknown>();
  const valid = new BoundedList<unknown>();
  let first: string | null = null;
  const note = (recipient: unknown, problem: string | null): void => {
    first ??= problem === null ? null : `${shownName(recipient)} ${problem}`;
    (problem === null ? valid : invalid).add(() => shownValue(recipient));
  };
  const ofUsers = users.length === 0 ? [] : channels.map((name) => used.get(name) ?? null);
  for (const userId of users) {
    note(
      userId,
      ofUsers.reduce<string | null>((known, channel) => known ?? problemOf(userId, channel, lookUp), null),
    );
  }
  for (const { channel, address } of addresses) {
    note(address, problemOf(address, used.get(channel) ?? null, "addresses"));
  }
  if (first !== null) {
    const others = invalid.values.length + invalid.more - 1;
    const message = `One or more recipients are invalid: ${first}${others > 0 ? `, and ${others} more` : ""}.`;
    throw new BelfryError("INVALID_RECIPIENTS", message, { details: { invalid: invalid.values, valid: valid.values } });
  }
}

/** Why `recipient` cannot be reached over `channel` (null: the inbox), or null. */
function problemOf(recipient: unknown, channel: Channel | null, lookUp: LookUp): string | null {
  if (typeof recipient !== "string") {
    return "is no text";
  }
  const issue = textIssue(recipient, [], channel === null ? NAME_RULE : { minLength: 1, maxLength: 4_096 });
  if (issue) {
    return issue.message;
  }
  const problem = channel?.invalidRecipient(recipient) ?? null;
  if (problem === null || lookUp === "addresses" || !isId(recipient)) {
    return problem;
  }
  return lookUp === "directory" ? null : `${endless(problem)}, and the service has no directory to look this user up in`;
}

/** A sentence to go on with. */
function endless(problem: string): string {
  return problem.replace(/\.$/, "");
}

/** Whether a text that is no address can be a user id for the directory: what looks like an address was meant as one. */
function isId(recipient: string): boolean {
  return textIssue(recipient, [], NAME_RULE) === null && !/[@\s:/,;<>]/.test(recipient);
}

function shownName(recipient: unknown): string {
  return typeof recipient === "string" ? shown(recipient) : `a value of the type ${describe(recipient)} in to`;
}

function shownValue(recipient: unknown): unknown {
  return typeof recipient === "string" ? cut(recipient, SHOWN_LENGTH) : recipient;
}

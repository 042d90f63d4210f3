import { BoundedList, cut } from "../foundation/bounds.ts";
import { BelfryError, type Issue } from "../foundation/errors.ts";
import { validationError } from "../foundation/issue-list.ts";
import { describe, isPlain, NAME_RULE, shown, textIssue } from "../foundation/parse-text.ts";
import {
  groupsOf,
  INBOX_CHANNEL,
  MAX_AT_ONCE,
  MAX_RECIPIENTS,
  type MemberGroup,
  parseExcept,
  parseRecipients,
  type TopicAudience,
  type UntypedCreateInput,
} from "../notifications/index.ts";
import { nextTurn } from "../work/timing.ts";
import type { Channel } from "./channel.ts";
import { addressProblem } from "./channel-info.ts";
import type { ForEveryone } from "./fan-out-storage.ts";

const SHOWN_LENGTH = 320;

/** How many recipients are looked at before others get their turn of the event loop. */
const PIECE = 2_000;

/** Who gets a notification with deliveries: users over their channels, and addresses, each over its own. */
export interface Audience {
  /** The channels over which users get it. */
  readonly channels: readonly string[];
  /** Each once, in the order given; of more than {@link MAX_AT_ONCE}, in any order until they are {@link sorted}. */
  readonly users: readonly string[];
  readonly addresses: readonly AddressOf[];
  /** The users by what brings it to them, where there are topics. @default all are named */
  readonly groups?: readonly MemberGroup[];
  /** The topics that are part of it. @default none */
  readonly topics?: TopicAudience;
  /** How it goes to everyone. @default it does not */
  readonly everyone?: Pick<ForEveryone, "isStanding" | "except">;
  /** The names of users and the texts of addresses, each once, in the order given; none for more than {@link MAX_AT_ONCE}. */
  readonly recipients: readonly string[];
}

/** An address of a channel. */
export interface AddressOf {
  readonly channel: string;
  readonly address: string;
}

/** Reads who gets a notification. Whether they can be reached is checked by {@link checkAudience}. A long list is copied at the call. */
export async function parseAudience(
  { to: given, except }: Pick<UntypedCreateInput, "to" | "except">,
  {
    channels,
    hasFallback,
    topics,
    everyone,
  }: Pick<Audience, "channels"> & {
    readonly hasFallback: boolean;
    readonly topics?: TopicAudience | undefined;
    readonly everyone?: Audience["everyone"] | undefined;
  },
): Promise<Audience> {
  if (everyone !== undefined) {
    return { channels, users: [], addresses: [], recipients: [], everyone };
  }
  if (topics !== undefined) {
    return audienceOf(topics, { to: given, channels });
  }
  const to = given;
  requireTo(to);
  const isList = Array.isArray(to);
  requireLength(isList ? to.length : 1);
  const list: readonly unknown[] = isList ? to.slice() : [to];
  const read = await readRecipients(list, { left: parseExcept(except), isList });
  if (hasFallback && read.addresses.length > 0 && !read.hasUser) {
    const message = "stands in for a channel of a user; an address has one channel only, and to names no user";
    throw validationError([{ path: ["fallback"], type: "value_error", message }]);
  }
  const { users, addresses, recipients } = read;
  return recipients.length > MAX_AT_ONCE
    ? { channels, users, addresses, recipients: [] }
    : { channels, users: [...new Set(users)], addresses, recipients: [...new Set(recipients)] };
}

/** An audience with topics: its users are found already, or are found later. */
async function audienceOf(
  topics: TopicAudience,
  { to = [], channels }: Pick<Audience, "channels"> & { readonly to: UntypedCreateInput["to"] | undefined },
): Promise<Audience> {
  const isList = Array.isArray(to);
  const { addresses } = await readRecipients(isList ? to : [to], { left: new Set(), isList });
  const found = topics.members ?? [];
  // Those who are too many with the addresses are found later, too.
  const members = found.length + addresses.length > MAX_AT_ONCE ? [] : found;
  const users = members.map(({ userId }) => userId);
  const recipients = [...new Set([...users, ...addresses.map(({ address }) => address)])];
  const isOpen = members !== topics.members;
  return { channels, users, addresses, recipients, groups: groupsOf(members), topics: isOpen ? { ...topics, members: null } : topics };
}

/** Whether users may be part of an audience. */
export function hasUsers({ users, topics, everyone }: Pick<Audience, "users" | "topics" | "everyone">): boolean {
  return users.length > 0 || topics !== undefined || everyone !== undefined;
}

/** Tells users from addresses. Each address is in the result once, others as often as they are named. */
async function readRecipients(
  list: readonly unknown[],
  { left, isList }: { readonly left: ReadonlySet<string>; readonly isList: boolean },
): Promise<Pick<Audience, "users" | "addresses" | "recipients"> & { readonly hasUser: boolean }> {
  const users: string[] = [];
  const addresses = new Map<string, AddressOf>();
  const recipients: string[] = [];
  for (let index = 0; index < list.length; index += 1) {
    const one = list[index];
    if (typeof one === "object" && one !== null) {
      const address = addressOf(one, isList ? ["to", index] : ["to"]);
      addresses.set(JSON.stringify([address.channel, address.address]), address);
      recipients.push(address.address);
    } else if (!left.has(one as string)) {
      users.push(one as string);
      recipients.push(one as string);
    }
    if (index % PIECE === PIECE - 1) {
      await nextTurn();
    }
  }
  const hasUser = users.length > 0 || list.some((one) => typeof one === "string");
  return { users, addresses: [...addresses.values()], recipients, hasUser };
}

/** A checked audience with each user once: those of a long list in bytewise order. */
export async function sorted(audience: Audience): Promise<Audience> {
  const { addresses } = audience;
  // The recipients of a long list are left out, however few of them are users.
  if (audience.topics !== undefined || audience.recipients.length > 0 || audience.users.length + addresses.length === 0) {
    return audience;
  }
  const parsed = audience.users.length === 0 ? { recipients: [] } : await parseRecipients(audience.users);
  if ("issues" in parsed) {
    throw parsed.issues.error();
  }
  const { recipients: users } = parsed;
  const isLong = users.length + addresses.length > MAX_AT_ONCE;
  return { ...audience, users, recipients: isLong ? [] : [...new Set([...users, ...addresses.map(({ address }) => address)])] };
}

/** Whether so many get it that their deliveries are written in parts. */
export function isLarge({
  channels,
  users,
  addresses,
  topics,
  everyone,
}: Pick<Audience, "channels" | "users" | "addresses" | "topics" | "everyone">): boolean {
  const isPaged = everyone !== undefined && channels.some((name) => name !== INBOX_CHANNEL);
  return isPaged || topics?.members === null || users.length + addresses.length > MAX_AT_ONCE;
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
export async function checkAudience(
  { channels, users: all, addresses, topics }: Audience,
  used: ReadonlyMap<string, Channel | null>,
  lookUp: LookUp,
): Promise<void> {
  // Who subscribes was not named by this call.
  const users = topics === undefined ? all : topics.source.users;
  const invalid = new BoundedList<unknown>();
  const valid = new BoundedList<unknown>();
  let first: string | null = null;
  const note = (recipient: unknown, problem: string | null): void => {
    first ??= problem === null ? null : `${shownName(recipient)} ${problem}`;
    (problem === null ? valid : invalid).add(() => shownValue(recipient));
  };
  const ofUsers = users.length === 0 ? [] : channels.map((name) => used.get(name) ?? null);
  for (const [index, userId] of users.entries()) {
    note(
      userId,
      ofUsers.reduce<string | null>((known, channel) => known ?? problemOf(userId, channel, lookUp), null),
    );
    if (index % PIECE === PIECE - 1) {
      await nextTurn();
    }
  }
  for (const [index, { channel, address }] of addresses.entries()) {
    note(address, problemOf(address, used.get(channel) ?? null, "addresses"));
    if (index % PIECE === PIECE - 1) {
      await nextTurn();
    }
  }
  if (first !== null) {
    const others = invalid.values.length + invalid.more - 1;
    const message = `One or more recipients are invalid: ${first}${others > 0 ? `, and ${others} more` : ""}.`;
    throw new BelfryError("INVALID_RECIPIENTS", message, {
      details: { invalid: invalid.values, valid: valid.values, channels: [...used.keys()] },
    });
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
  if (channel === null || problem === null) {
    return null;
  }
  if (channel.devices !== undefined && lookUp !== "addresses" && textIssue(recipient, [], NAME_RULE) === null) {
    return null;
  }
  if (lookUp === "addresses" || !isId(recipient)) {
    return addressProblem(problem, channel);
  }
  const lack = `${problem.replace(/\.$/, "")}, and the service has no directory to look this user up in`;
  return lookUp === "directory" ? null : addressProblem(lack, channel);
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

import type { Issue } from "../foundation/errors.ts";
import { filterIssues } from "../foundation/filter.ts";
import { type Members, type MembersOf, requireMembers, requireNone, validationError } from "../foundation/issue-list.ts";
import type { JsonObject, JsonValue } from "../foundation/json.ts";
import { requireJsonObject } from "../foundation/parse-json.ts";
import { NAME_RULE, oneOf, shown, textIssue } from "../foundation/parse-text.ts";
import { declaredType, INBOX_CHANNEL, type NotificationTypes, topicIssue } from "../notifications/index.ts";
import {
  CHOICE_SCOPES,
  CHOICE_VALUES,
  type ChoicePlace,
  type ChoiceScope,
  type ChoiceValue,
  isDigestFrequency,
  type TenantChoice,
} from "./choice.ts";
import type { DecisionsContext } from "./context.ts";

/** What names each scope in a target. */
export interface ChoiceTargets<Type extends string> {
  readonly group: string;
  readonly topic: string;
  readonly type: Type;
  readonly category: string;
  readonly all: true;
}

/** The parts that narrow what a choice is about. */
export interface NarrowedChoice {
  /** @default every channel */
  readonly channel?: string;
  /**
   * Conditions on the notification's data, in the language of the hub's filters. A choice with conditions stands beside those with
   * others and the one without. @default it counts always
   */
  readonly when?: JsonObject;
}

/**
 * What a choice is about: a group, a topic, a type, a category, or everything with `all: true`; one of them, over one channel or
 * over every channel, always or under conditions.
 */
export type ChoiceTarget<Type extends string = string> = NarrowedChoice &
  {
    [Scope in ChoiceScope]: Pick<ChoiceTargets<Type>, Scope> & { readonly [Other in Exclude<ChoiceScope, Scope>]?: never };
  }[ChoiceScope];

/** A tenant's choice to make. */
export type DefaultInput<Type extends string = string> = ChoiceTarget<Type> & {
  /** Whether users see it and cannot choose otherwise. @default false */
  readonly locked?: boolean;
};

/** What a mute is about: a topic or a group. */
export type MuteTarget = { readonly topic: string; readonly group?: never } | { readonly group: string; readonly topic?: never };

const TARGET: Members = { type: true, category: true, topic: true, group: true, all: true, channel: true, when: true };
const DEFAULT: Members = { ...TARGET, locked: true };
const MUTE: MembersOf<Required<MuteTarget>> = { topic: true, group: true };

type Given = Readonly<Record<string, unknown>>;

/** Reads what a choice is about, and when it counts. It may name what is declared no more. @throws BelfryError `VALIDATION_ERROR` */
export function parsePlace(what: string, target: ChoiceTarget): ChoicePlace {
  requireMembers(what, target, TARGET);
  return placeOf(what, target, CHOICE_SCOPES);
}

/** Reads what a mute is about. @throws BelfryError `VALIDATION_ERROR` */
export function parseMute(what: string, target: MuteTarget): ChoicePlace {
  requireMembers(what, target, MUTE);
  return placeOf(what, target, ["topic", "group"]);
}

/** A choice to read, and whose it is. */
interface ParsedChoice {
  readonly what: string;
  readonly input: ChoiceTarget | DefaultInput;
  readonly value: ChoiceValue;
  readonly isDefault: boolean;
}

/**
 * Reads a choice. Of declared types, it may name those and their categories only, and of channels, those of the service.
 * @throws BelfryError `VALIDATION_ERROR`, `UNKNOWN_TYPE`
 */
export function parseChoice(context: DecisionsContext, { what, input, value, isDefault }: ParsedChoice): TenantChoice {
  requireMembers(what, input, isDefault ? DEFAULT : TARGET);
  const place = placeOf(what, input, CHOICE_SCOPES);
  requireKnown(context, place);
  const { locked } = input as DefaultInput;
  requireNone([
    oneOf(CHOICE_VALUES)(value, "value"),
    place.channel === INBOX_CHANNEL && isDigestFrequency(value) ? inboxIssue(value) : null,
    locked === undefined ? null : oneOf([true, false])(locked, "locked"),
  ]);
  return { ...place, value, isLocked: locked ?? false };
}

/** Reads conditions. Their members come in one order: how a caller orders them says nothing. */
function parseWhen(when: unknown): ChoicePlace["when"] {
  if (when === undefined || when === null) {
    return null;
  }
  const filter = requireJsonObject(when, ["when"]);
  requireNone([...filterIssues(filter, ["when"]), ...emptyIssues(filter)]);
  return inOneOrder(filter) as JsonObject;
}

/** What a filter may say, and a choice may not: no condition, one on a member without a name, and operators of other languages. */
function emptyIssues(filter: JsonObject): readonly Issue[] {
  if (Object.keys(filter).length === 0) {
    return [{ path: ["when"], type: "value_error", message: "must have a condition, or be left out for a choice that counts always" }];
  }
  return Object.entries(filter).flatMap(([key, wanted]): readonly Issue[] => {
    if (key === "") {
      return [{ path: ["when"], type: "value_error", message: "must name a member of the data in each condition, has an empty name" }];
    }
    const isObject = typeof wanted === "object" && wanted !== null && !Array.isArray(wanted);
    const operator = isObject ? Object.keys(wanted).find((name) => name.startsWith("$")) : undefined;
    const message = `must be a value, or { operator, value } with an operator such as "not_equals" or "in"; has ${shown(operator)}`;
    return operator === undefined ? [] : [{ path: ["when", key], type: "value_error", message }];
  });
}

function inOneOrder(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(inOneOrder);
  }
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, inOneOrder(member)]));
}

/** Finds the one scope that a target names. An undefined member names none, so that a forgotten name is not everything. */
function placeOf(what: string, target: object, scopes: readonly ChoiceScope[]): ChoicePlace {
  const given = target as Given;
  const [scope, ...others] = scopes.filter((one) => given[one] !== undefined);
  if (scope === undefined || others.length > 0) {
    const names = scopes.map((one) => (one === "all" ? "all: true" : one)).join(", ");
    const got = scope === undefined ? "none of them" : [scope, ...others].join(" and ");
    throw validationError([{ path: [], type: "value_error", message: `${what} takes one of ${names}; got ${got}` }]);
  }
  const name = given[scope];
  const { channel, when } = given;
  requireNone([nameIssue(scope, name), channel === undefined ? null : textIssue(channel, ["channel"], NAME_RULE)]);
  const about = { scope, name: scope === "all" ? "" : (name as string), channel: (channel as string | undefined) ?? null };
  return { ...about, when: parseWhen(when) };
}

function nameIssue(scope: ChoiceScope, name: unknown): Issue | null {
  if (scope === "all") {
    return oneOf([true])(name, "all");
  }
  return scope === "topic" ? topicIssue(name, [scope]) : textIssue(name, [scope], NAME_RULE);
}

function requireKnown({ types, channels }: DecisionsContext, { scope, name, channel }: ChoicePlace): void {
  if (scope === "type") {
    declaredType({ types }, name, { declaredTypesOnly: true });
  }
  requireNone([
    channel === null ? null : channelIssue(channels, channel, ["channel"]),
    scope === "category" ? categoryIssue(types, name) : null,
  ]);
}

/** Checks that the service has a channel. */
export function channelIssue(channels: DecisionsContext["channels"], channel: string, path: Issue["path"]): Issue | null {
  const known = [INBOX_CHANNEL, ...channels.keys()];
  return known.includes(channel)
    ? null
    : { path, type: "enum", message: `must be a channel of the service, one of ${known.join(", ")}; is ${shown(channel)}` };
}

function categoryIssue(types: NotificationTypes, category: string): Issue | null {
  const declared = Object.values(types);
  const known = [...new Set(declared.flatMap((type) => type.category ?? []))];
  if (declared.length === 0 || known.includes(category)) {
    return null;
  }
  const message = `must be a category of a declared type, one of ${known.join(", ") || "none"}; is ${shown(category)}`;
  return { path: ["category"], type: "enum", message };
}

function inboxIssue(value: ChoiceValue): Issue {
  return { path: ["value"], type: "enum", message: `must be on, off or immediate for the inbox, which has no digests; is ${shown(value)}` };
}

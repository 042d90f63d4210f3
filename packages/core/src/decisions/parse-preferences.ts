import type { Issue } from "../foundation/errors.ts";
import { filterIssues } from "../foundation/filter.ts";
import { type Members, type MembersOf, requireMembers, requireNone, validationError } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import { requireJsonObject } from "../foundation/parse-json.ts";
import { NAME_RULE, oneOf, shown, textIssue } from "../foundation/parse-text.ts";
import { declaredType, INBOX_CHANNEL, type NotificationTypes } from "../notifications/index.ts";
import {
  CHOICE_SCOPES,
  CHOICE_VALUES,
  type Choice,
  type ChoicePlace,
  type ChoiceScope,
  type ChoiceValue,
  isDigestFrequency,
  type TenantChoice,
} from "./choice.ts";
import type { DecisionsContext } from "./context.ts";

/** What names each scope in a target. */
interface Targets<Type extends string> {
  readonly group: string;
  readonly topic: string;
  readonly type: Type;
  readonly category: string;
  readonly all: true;
}

/**
 * What a choice is about: a group, a topic, a type, a category, or everything with `all: true`; one of them, over one channel or
 * over every channel.
 */
export type ChoiceTarget<Type extends string = string> = { readonly channel?: string } & {
  [Scope in ChoiceScope]: Pick<Targets<Type>, Scope> & { readonly [Other in Exclude<ChoiceScope, Scope>]?: never };
}[ChoiceScope];

/** A choice to make: what it is about, and when it counts. */
export type ChoiceInput<Type extends string = string> = ChoiceTarget<Type> & {
  /** Conditions on the notification's data, in the language of the hub's filters. @default it counts always */
  readonly when?: JsonObject;
};

/** A tenant's choice to make. */
export type DefaultInput<Type extends string = string> = ChoiceInput<Type> & {
  /** Whether users see it and cannot choose otherwise. @default false */
  readonly locked?: boolean;
};

/** What a mute is about: a topic or a group. */
export type MuteTarget = { readonly topic: string; readonly group?: never } | { readonly group: string; readonly topic?: never };

const TARGET: Members = { type: true, category: true, topic: true, group: true, all: true, channel: true };
const CHOICE: Members = { ...TARGET, when: true };
const DEFAULT: Members = { ...CHOICE, locked: true };
const MUTE: MembersOf<Required<MuteTarget>> = { topic: true, group: true };

type Given = Readonly<Record<string, unknown>>;

/** Reads what a choice is about. It may name what is declared no more. @throws BelfryError `VALIDATION_ERROR` */
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
  readonly input: ChoiceInput | DefaultInput;
  readonly value: ChoiceValue;
  readonly isDefault: boolean;
}

/**
 * Reads a choice. Of declared types, it may name those and their categories only, and of channels, those of the service.
 * @throws BelfryError `VALIDATION_ERROR`, `UNKNOWN_TYPE`
 */
export function parseChoice(context: DecisionsContext, { what, input, value, isDefault }: ParsedChoice): TenantChoice {
  requireMembers(what, input, isDefault ? DEFAULT : CHOICE);
  const place = placeOf(what, input, CHOICE_SCOPES);
  requireKnown(context, place);
  const { when, locked } = input as DefaultInput;
  requireNone([
    oneOf(CHOICE_VALUES)(value, "value"),
    place.channel === INBOX_CHANNEL && isDigestFrequency(value) ? inboxIssue(value) : null,
    locked === undefined ? null : oneOf([true, false])(locked, "locked"),
  ]);
  return { ...place, value, when: parseWhen(when), isLocked: locked ?? false };
}

function parseWhen(when: unknown): Choice["when"] {
  if (when === undefined || when === null) {
    return null;
  }
  const filter = requireJsonObject(when, ["when"]);
  requireNone(filterIssues(filter, ["when"]));
  return filter;
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
  const { channel } = given;
  requireNone([
    scope === "all" ? oneOf([true])(name, "all") : textIssue(name, [scope], NAME_RULE),
    channel === undefined ? null : textIssue(channel, ["channel"], NAME_RULE),
  ]);
  return { scope, name: scope === "all" ? "" : (name as string), channel: (channel as string | undefined) ?? null };
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

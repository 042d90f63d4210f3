import { fitsFilter, type MetadataFilter } from "../foundation/filter.ts";
import type { JsonObject } from "../foundation/json.ts";

/** How often a user wants to hear of something: each time at once, or together with others. */
export type Frequency = "immediate" | "hourly" | "daily" | "weekly";

/** The values of choices. */
export const CHOICE_VALUES = ["on", "off", "immediate", "hourly", "daily", "weekly"] as const satisfies readonly (
  | "on"
  | "off"
  | Frequency
)[];

/** What a choice says: on and off switch a channel, a frequency switches it on and says how often it may be used. */
export type ChoiceValue = (typeof CHOICE_VALUES)[number];

/** The kinds of things that a choice can be about, the most specific first. */
export const CHOICE_SCOPES = ["group", "topic", "type", "category", "all"] as const;

/** The kind of thing that a choice is about. */
export type ChoiceScope = (typeof CHOICE_SCOPES)[number];

/** What a choice is about, and when it counts. An owner has one choice for each place at most. */
export interface ChoicePlace {
  readonly scope: ChoiceScope;
  /** The name of the group, topic, type or category; empty for `all`. */
  readonly name: string;
  /** The channel it is about; null for every channel. */
  readonly channel: string | null;
  /**
   * Conditions on the notification's data. A choice whose conditions do not hold counts as not made. Null for none. It is part of
   * the place: choices with other conditions, or without, stand beside it. Members are in one order, so that equal conditions are
   * the same JSON text.
   */
  readonly when: MetadataFilter | null;
}

/** An explicit choice of a user, or of a tenant for all its users. Only explicit choices exist: taking one back deletes it. */
export interface Choice extends ChoicePlace {
  readonly value: ChoiceValue;
}

/** A tenant's choice. Users see a locked one and cannot change it. */
export interface TenantChoice extends Choice {
  readonly isLocked: boolean;
}

/** The notification and the channel that a choice is looked up for. */
export interface ChoiceSubject {
  readonly type: string;
  readonly category: string | null;
  readonly topic: string | null;
  readonly group: string | null;
  readonly channel: string;
  readonly data: JsonObject;
}

/** Where a value came from: a choice of the user or of the tenant, the type's declaration, or nobody's choice. */
export type ChoiceSource =
  | { readonly of: "user" | "tenant" | "locked"; readonly scope: ChoiceScope; readonly name: string; readonly channel: string | null }
  | { readonly of: "type" | "default" };

/** The choice that counts for a notification and a channel. */
export interface EffectiveChoice {
  readonly value: ChoiceValue;
  readonly source: ChoiceSource;
  /** Whether the user may choose otherwise. */
  readonly isChangeable: boolean;
}

/** The choices of one user and of the user's tenant, made ready for many look-ups. */
export class Choices {
  readonly #user: ChoicesByTarget;
  #tenant: ChoicesByTarget;
  #locked: ChoicesByTarget;

  constructor({ user, tenant }: { readonly user: readonly Choice[]; readonly tenant: readonly TenantChoice[] }) {
    this.#user = byTarget(user);
    this.#tenant = byTarget(tenant.filter(({ isLocked }) => !isLocked));
    this.#locked = byTarget(tenant.filter(({ isLocked }) => isLocked));
  }

  /** Whether the user muted a topic: switched it off over every channel, unless the tenant has locked a choice about it. */
  hasMuted(topic: string): boolean {
    const about = targetOf("topic", topic, null);
    const always = (choices: ChoicesByTarget) => choices.get(about)?.find(({ when }) => when === null);
    return (always(this.#locked) ?? always(this.#user))?.value === "off";
  }

  /** The choices of another user of the same tenant. Those of the tenant are not made ready anew. */
  withUser(user: readonly Choice[]): Choices {
    const choices = new Choices({ user, tenant: [] });
    choices.#tenant = this.#tenant;
    choices.#locked = this.#locked;
    return choices;
  }

  /**
   * The choice that counts: the tenant's locked ones come first, then the user's, then the tenant's others. Within each, the
   * more specific scope comes first, within a scope, a choice for the channel before one for every channel, and of those, the ones
   * whose conditions hold before the one without: see {@link compareConditions}. So a general choice never overrides a specific
   * one. `byType` is what the type's declaration says of the channel, null for nothing.
   */
  effective(subject: ChoiceSubject, byType: ChoiceValue | null): EffectiveChoice {
    const locked = first(this.#locked, subject);
    if (locked !== null) {
      return { value: locked.value, source: sourceOf("locked", locked), isChangeable: false };
    }
    const user = first(this.#user, subject);
    if (user !== null) {
      return { value: user.value, source: sourceOf("user", user), isChangeable: true };
    }
    const tenant = first(this.#tenant, subject);
    if (tenant !== null) {
      return { value: tenant.value, source: sourceOf("tenant", tenant), isChangeable: true };
    }
    return { value: byType ?? "on", source: { of: byType === null ? "default" : "type" }, isChangeable: true };
  }
}

/** A source in words, for people and timelines: `user type email`, `tenant category`, `type`, `default`. */
export function sourceText(source: ChoiceSource): string {
  return "scope" in source ? [source.of, source.scope, source.channel].filter((part) => part !== null).join(" ") : source.of;
}

/** Whether a value is a frequency that makes a channel wait for a digest. */
export function isDigestFrequency(value: ChoiceValue): value is Exclude<Frequency, "immediate"> {
  return value === "hourly" || value === "daily" || value === "weekly";
}

function sourceOf(of: "user" | "tenant" | "locked", { scope, name, channel }: Choice): ChoiceSource {
  return { of, scope, name, channel };
}

/** The choices about each target, in the order in which they are asked. */
type ChoicesByTarget = ReadonlyMap<string, readonly Choice[]>;

function byTarget(choices: readonly Choice[]): ChoicesByTarget {
  const targets = new Map<string, Choice[]>();
  for (const choice of choices) {
    const target = targetOf(choice.scope, choice.name, choice.channel);
    const others = targets.get(target)?.filter(({ when }) => compareConditions(when, choice.when) !== 0) ?? [];
    targets.set(
      target,
      [...others, choice].sort((left, right) => compareConditions(left.when, right.when)),
    );
  }
  return targets;
}

/** Names have any characters but NUL. */
function targetOf(scope: ChoiceScope, name: string, channel: string | null): string {
  return `${scope}\u0000${name}\u0000${channel ?? "\u0000"}`;
}

/**
 * The order in which choices about one target are asked: those with more conditions first, then by their JSON, and the one
 * without conditions last. It is 0 for the same conditions.
 */
export function compareConditions(left: Choice["when"], right: Choice["when"]): number {
  const [some, others] = [left ?? {}, right ?? {}];
  const more = Object.keys(others).length - Object.keys(some).length;
  const [text, other] = more === 0 ? [JSON.stringify(some), JSON.stringify(others)] : ["", ""];
  return more === 0 && text !== other ? (text < other ? -1 : 1) : more;
}

function first(choices: ChoicesByTarget, subject: ChoiceSubject): Choice | null {
  if (choices.size === 0) {
    return null;
  }
  for (const scope of CHOICE_SCOPES) {
    const name = scope === "all" ? "" : subject[scope];
    for (const channel of name === null ? [] : [subject.channel, null]) {
      const about = choices.get(targetOf(scope, name ?? "", channel));
      const choice = about?.find(({ when }) => when === null || fitsFilter(when, subject.data));
      if (choice !== undefined) {
        return choice;
      }
    }
  }
  return null;
}

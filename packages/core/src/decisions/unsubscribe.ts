import { categoryLabel, typeLabel } from "../notifications/index.ts";
import { type Choice, Choices, type EffectiveChoice } from "./choice.ts";
import type { DecisionsContext } from "./context.ts";
import type { ChannelPreference, TypePreferences } from "./list-preferences.ts";
import type { ChoiceTarget } from "./parse-preferences.ts";
import { Preferences } from "./preferences.ts";
import { placeMark, type UnsubscribeLinks, type Unsubscription } from "./unsubscribe-links.ts";

/** What a link switches off, in words. */
export interface UnsubscribeLabel {
  /** The name of the category, else of the type; of a digest of several types, of what it bundles. Null for everything. */
  readonly label: string | null;
  readonly channel: string;
}

/** How things stand with what a link switches off. */
export interface Unsubscribed extends UnsubscribeLabel {
  /** Whether the user gets none of it. */
  readonly isOff: boolean;
  /** Whether the link changes that. If not, it is required or locked by now: a choice is kept, and does not count. */
  readonly isChangeable: boolean;
}

/** Reads the links of mails, and does what they say. The HTTP handler asks it. */
export class Unsubscribing {
  /** The language of readers whose own is not known. */
  readonly locale: string;
  readonly #links: UnsubscribeLinks;
  readonly #context: DecisionsContext;

  constructor(links: UnsubscribeLinks, context: DecisionsContext) {
    this.#links = links;
    this.#context = context;
    this.locale = context.locale;
  }

  /** What a link would switch off, and whether it is off already. It changes nothing. Null for a link that is not valid. @param locale of the labels */
  async look(token: string, locale: string = this.locale): Promise<Unsubscribed | null> {
    const link = await this.#links.read(token);
    return link && this.#stateOf(link, locale);
  }

  /** Switches off what a link says, as a choice of its user. Null for a link that is not valid. It may be repeated. */
  async follow(token: string, locale: string = this.locale): Promise<Unsubscribed | null> {
    const link = await this.#links.read(token);
    if (link === null) {
      return null;
    }
    const { userId, tenant } = link;
    const preferences = new Preferences(tenant, this.#context);
    const target = this.#targetOf(link);
    if (target !== null) {
      const { choices } = await preferences.list(userId);
      await preferences.set(userId, target, "off");
      await this.#giveWay(link, choices);
    }
    return this.#stateOf(link, locale);
  }

  /** Has the user's own choices that brought the mail give way: for its type, group or topic, and those with conditions. */
  async #giveWay(link: Unsubscription, choices: readonly Choice[]): Promise<void> {
    const { userId, tenant, channel } = link;
    const preferences = new Preferences(tenant, this.#context);
    for (const choice of choices.filter(bringsMailOf(link))) {
      const target = targetAbout(choice, channel);
      if (this.#isThere(target)) {
        await preferences.set(userId, target, "off");
      }
      // Of one channel, a choice with conditions comes before the one without.
      if (choice.when !== null && choice.channel === channel) {
        await preferences.takeBack(userId, { ...target, when: choice.when });
      }
    }
  }

  /** Switches on again what a link has switched off: what a digest bundled, as often as it came. Null for a link that is not valid. It may be repeated. */
  async undo(token: string, locale: string = this.locale): Promise<Unsubscribed | null> {
    const link = await this.#links.read(token);
    if (link === null) {
      return null;
    }
    const { userId, tenant, about } = link;
    const frequency = about.type === undefined ? about.frequency : null;
    const preferences = new Preferences(tenant, this.#context);
    const { choices } = await preferences.list(userId);
    const places = placesOf(link, choices);
    const offPlaces = places.filter((one) => isOff(choices, one));
    for (const target of [...targetsOf(link).filter((one) => isOff(choices, one)), ...offPlaces]) {
      // The choice of a frequency made the digest, and off took its place.
      await (frequency === null ? preferences.takeBack(userId, target) : preferences.set(userId, target, frequency));
    }
    const state = await this.#stateOf(link, locale);
    const target = this.#targetOf(link);
    // A more general choice says off, or the type or the tenant does.
    if (!state.isOff || target === null) {
      return state;
    }
    for (const one of offPlaces.length > 0 ? offPlaces : [target]) {
      await preferences.set(userId, one, "on");
    }
    return this.#stateOf(link, locale);
  }

  /** The choice to make: null if there is nothing to choose, since neither the category nor the type, or no such channel, is there any more. */
  #targetOf(link: Unsubscription): ChoiceTarget | null {
    if (!this.#context.channels.has(link.channel)) {
      return null;
    }
    return targetsOf(link).find((target) => this.#isThere(target)) ?? null;
  }

  #isThere({ category, type }: ChoiceTarget): boolean {
    return category === undefined ? type === undefined || this.#isKnown(type) : this.#hasCategory(category);
  }

  /** How things stand, as far as choices without conditions say. */
  async #stateOf(link: Unsubscription, locale: string): Promise<Unsubscribed> {
    const { tenant, userId, channel } = link;
    const label = this.#labelOf(link, locale);
    const target = this.#targetOf(link);
    if (target === null) {
      return { ...label, isOff: true, isChangeable: false };
    }
    const { types, choices } = await new Preferences(tenant, this.#context).list(userId);
    const isChosen = isOff(choices, target);
    const found = types.filter(isMeantBy(link, target)).flatMap((one) => {
      const over = one.channels.find((each) => each.channel === channel);
      return over ? [{ ...over, isOwn: one.type === link.about.type }] : [];
    });
    const ofDigest = found.filter(({ source }) => source !== "required");
    const state = link.about.type === undefined ? stateOfMany(ofDigest, isChosen) : stateOfType(found, isChosen);
    const still = state.isOff ? await this.#placesOn(link) : [];
    return { ...label, ...(still.length === 0 ? state : { isOff: false, isChangeable: still.some(({ isChangeable }) => isChangeable) }) };
  }

  /** The choices by which mail still comes for a topic or group of the link, while its type is off. */
  async #placesOn({ tenant, userId, channel, about }: Unsubscription): Promise<readonly EffectiveChoice[]> {
    const { decisions, types } = this.#context;
    const marks = about.type === undefined ? [] : about.places;
    if (about.type === undefined || marks.length === 0) {
      return [];
    }
    const { type } = about;
    const stored = await decisions.preferencesOf(tenant, [userId]);
    const always = { user: stored.users.get(userId)?.choices ?? [], tenant: stored.tenant.choices };
    const choices = new Choices({ user: always.user.filter(isAlways), tenant: always.tenant.filter(isAlways) });
    const category = (Object.hasOwn(types, type) ? types[type]?.category : null) ?? null;
    return [...always.user, ...always.tenant].filter(isMarked(marks)).flatMap(({ scope, name }) => {
      const subject = { type, category, topic: null, group: null, [scope]: name, channel, data: {} };
      const effective = choices.effective(subject, "off");
      return effective.value === "off" ? [] : [effective];
    });
  }

  #labelOf({ about, channel }: Unsubscription, locale: string): UnsubscribeLabel {
    const { types, categories } = this.#context;
    const { type, category } = about.type === undefined ? categoryOf(about) : about;
    if (category !== null && (type === null || this.#hasCategory(category))) {
      return { label: categoryLabel(categories, category, locale), channel };
    }
    if (about.type === undefined && about.scope !== "type") {
      return { label: about.scope === "all" ? null : about.name, channel };
    }
    return { label: typeLabel(types, type ?? "", locale), channel };
  }

  #hasCategory(category: string): boolean {
    return Object.values(this.#context.types).some((type) => type.category === category);
  }

  #isKnown(type: string): boolean {
    const { types } = this.#context;
    return Object.hasOwn(types, type) || Object.keys(types).length === 0;
  }
}

/** What a link's topic says of types and categories. */
function categoryOf({ scope, name }: Pick<Choice, "scope" | "name">): { readonly type: string | null; readonly category: string | null } {
  return { type: scope === "type" ? name : null, category: scope === "category" ? name : null };
}

/** The choices that a link may make, the first one first. */
function targetsOf({ about, channel }: Unsubscription): readonly ChoiceTarget[] {
  if (about.type !== undefined) {
    const { type, category } = about;
    return [...(category === null ? [] : [{ category, channel }]), { type, channel }];
  }
  return [targetAbout(about, channel)];
}

function targetAbout({ scope, name }: Pick<Choice, "scope" | "name">, channel: string): ChoiceTarget {
  switch (scope) {
    case "all":
      return { all: true, channel };
    case "category":
      return { category: name, channel };
    case "type":
      return { type: name, channel };
    case "topic":
      return { topic: name, channel };
    case "group":
      return { group: name, channel };
  }
}

/** The choices of a user about topics and groups that a link is about, as targets, each once. */
function placesOf({ about, channel }: Unsubscription, choices: readonly Choice[]): readonly ChoiceTarget[] {
  const marked = about.type === undefined ? [] : choices.filter(isMarked(about.places));
  return [...new Map(marked.map((one) => [`${one.scope} ${one.name}`, targetAbout(one, channel)])).values()];
}

/** Whether a choice is about one of these topics and groups. */
function isMarked(places: readonly string[]): (choice: Choice) => boolean {
  const marks = new Set(places);
  return (choice) => marks.size > 0 && (choice.scope === "topic" || choice.scope === "group") && marks.has(placeMark(choice));
}

function isAlways({ when }: Choice): boolean {
  return when === null;
}

/**
 * Whether a choice of the user lets mail of a link come although the link's own choice says off: it is more specific, or has
 * conditions. Of what a digest bundled, choices that are more specific stay: what they are about comes in mails of its own.
 */
function bringsMailOf(link: Unsubscription): (choice: Choice) => boolean {
  const { about, channel } = link;
  const isInPlace = isMarked(about.type === undefined ? [] : about.places);
  return (choice) => {
    const isOfLink = targetsOf(link).some((target) => isAbout(choice, target));
    const isOver = choice.channel === channel || choice.channel === null;
    return isOver && choice.value !== "off" && (isOfLink || isInPlace(choice));
  };
}

/** Whether a link is about a type that a user can get. */
function isMeantBy({ about }: Unsubscription, target: ChoiceTarget): (one: TypePreferences) => boolean {
  return ({ type, category }) =>
    target.all === true || type === about.type || (target.category !== undefined && category === target.category);
}

type FoundChannel = ChannelPreference & { readonly isOwn: boolean };
type State = Pick<Unsubscribed, "isOff" | "isChangeable">;

/** A category is off if the link's type is, and the user has switched the category off or gets no other type of it. */
function stateOfType(found: readonly FoundChannel[], isChosen: boolean): State {
  const own = found.filter(({ isOwn }) => isOwn);
  const said = isChosen ? own : found;
  // Of types that are not declared, the user's own choices say it.
  if (said.length === 0) {
    return { isOff: isChosen, isChangeable: true };
  }
  const on = said.filter(({ value }) => value !== "off");
  return { isOff: on.length === 0, isChangeable: (on.length > 0 ? on : said).some(({ isChangeable }) => isChangeable) };
}

/** What a digest bundled is off if the user's choice says so and counts for some type, or if no type is on. More specific choices stay. */
function stateOfMany(found: readonly FoundChannel[], isChosen: boolean): State {
  // Of groups and topics, and of types that are not declared, the user's own choices say it.
  if (found.length === 0) {
    return { isOff: isChosen, isChangeable: true };
  }
  const on = found.filter(({ value }) => value !== "off");
  const hasEnded = on.length === 0 || (isChosen && on.length < found.length);
  return { isOff: hasEnded, isChangeable: (hasEnded ? found : on).some(({ isChangeable }) => isChangeable) };
}

/** Whether the user chose off for a target. */
function isOff(choices: readonly Choice[], target: ChoiceTarget): boolean {
  const { channel } = target;
  return choices.some((one) => isAbout(one, target) && one.channel === channel && one.value === "off" && one.when === null);
}

function isAbout({ scope, name }: Choice, target: ChoiceTarget): boolean {
  return scope === "all" ? target.all === true : target[scope] === name;
}

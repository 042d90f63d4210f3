import { fromBase64Url, toBase64Url } from "../foundation/digest.ts";
import { categoryLabel, isRequired, type NotificationTypes, typeLabel } from "../notifications/index.ts";
import type { Choice } from "./choice.ts";
import type { DecisionsContext } from "./context.ts";
import type { TypePreferences } from "./list-preferences.ts";
import type { ChoiceTarget } from "./parse-preferences.ts";
import { Preferences } from "./preferences.ts";

/** Below the address that a host's Belfry has for others. */
export const UNSUBSCRIBE_PATH = "/belfry/unsubscribe/";

/** Longer than every link that Belfry makes. */
const MAX_TOKEN = 8_192;
/** The first member of what is signed. Another form of links gets another one. */
const VERSION = 1;

/** A notification for a user over a channel, whose mail gets a link. */
export interface UnsubscribeSubject {
  readonly tenant: string;
  readonly userId: string;
  readonly type: string;
  readonly channel: string;
}

/** What a link switches off. */
export interface Unsubscription extends UnsubscribeSubject {
  /** The category that the type had when the link was made; null for none. */
  readonly category: string | null;
}

/** Where links lead, and what signs them. */
export interface UnsubscribeOptions {
  /** The address under which others reach Belfry's handler, without a slash at its end. */
  readonly publicUrl: string;
  /** The first one signs. All are accepted. */
  readonly secrets: readonly string[];
}

/** Makes and reads signed links. It is one object for all tenants. */
export class UnsubscribeLinks {
  readonly #publicUrl: string;
  readonly #types: NotificationTypes;
  readonly #keys: Promise<readonly SigningKey[]>;

  constructor({ publicUrl, secrets }: UnsubscribeOptions, types: NotificationTypes) {
    this.#publicUrl = publicUrl;
    this.#types = types;
    this.#keys = Promise.all(secrets.map(signingKey));
  }

  /** The link of a mail. Null where the user has nothing to switch off: the type is required, or it is not declared any more. */
  async linkFor({ tenant, userId, type, channel }: UnsubscribeSubject): Promise<string | null> {
    const declared = Object.hasOwn(this.#types, type) ? this.#types[type] : undefined;
    const isUnknown = declared === undefined && Object.keys(this.#types).length > 0;
    const [key] = await this.#keys;
    if (key === undefined || isUnknown || (declared !== undefined && isRequired(declared, channel))) {
      return null;
    }
    const said = encoder.encode(JSON.stringify([VERSION, tenant, userId, type, declared?.category ?? null, channel]));
    const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, said));
    return `${this.#publicUrl}${UNSUBSCRIBE_PATH}${toBase64Url(said)}.${toBase64Url(signature)}`;
  }

  /** What a link says; null for one that this service did not sign. */
  async read(token: string): Promise<Unsubscription | null> {
    const [said, signature, ...rest] = token.length > MAX_TOKEN ? [] : token.split(".").map(fromBase64Url);
    if (!said || !signature || rest.length > 0) {
      return null;
    }
    const checks = (await this.#keys).map((key) => crypto.subtle.verify("HMAC", key, signature, said));
    if (!(await Promise.all(checks)).includes(true)) {
      return null;
    }
    const [version, tenant, userId, type, category, channel] = JSON.parse(new TextDecoder().decode(said));
    return version === VERSION ? { tenant, userId, type, category, channel } : null;
  }
}

/** What a link switches off, in words. */
export interface UnsubscribeLabel {
  /** The name of the category, else of the type. */
  readonly label: string;
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
    const { channel, type, userId, tenant } = link;
    const preferences = new Preferences(tenant, this.#context);
    const target = this.#targetOf(link);
    if (target !== null) {
      await preferences.set(userId, target, "off");
    }
    const state = await this.#stateOf(link, locale);
    // The user's own choice for the type is more specific than one for its category.
    if (state.isOff || !this.#isKnown(type)) {
      return state;
    }
    await preferences.set(userId, { type, channel }, "off");
    return this.#stateOf(link, locale);
  }

  /** Switches on again what a link has switched off. Null for a link that is not valid. It may be repeated. */
  async undo(token: string, locale: string = this.locale): Promise<Unsubscribed | null> {
    const link = await this.#links.read(token);
    if (link === null) {
      return null;
    }
    const { channel, type, category, userId, tenant } = link;
    const preferences = new Preferences(tenant, this.#context);
    const { choices } = await preferences.list(userId);
    for (const target of [{ type, channel }, ...(category === null ? [] : [{ category, channel }])]) {
      if (isOff(choices, target)) {
        await preferences.takeBack(userId, target);
      }
    }
    const state = await this.#stateOf(link, locale);
    const target = this.#targetOf(link);
    // A more general choice says off, or the type or the tenant does.
    if (!state.isOff || target === null) {
      return state;
    }
    await preferences.set(userId, target, "on");
    return this.#stateOf(link, locale);
  }

  /** The choice to make: null if there is nothing to choose, since neither the category nor the type, or no such channel, is there any more. */
  #targetOf({ type, category, channel }: Unsubscription): ChoiceTarget | null {
    if (!this.#context.channels.has(channel)) {
      return null;
    }
    if (category !== null && this.#hasCategory(category)) {
      return { category, channel };
    }
    return this.#isKnown(type) ? { type, channel } : null;
  }

  /**
   * How things stand, as far as choices without conditions say. A category is off if the link's type is, and the user has switched
   * the category off or gets no other type of it.
   */
  async #stateOf(link: Unsubscription, locale: string): Promise<Unsubscribed> {
    const { tenant, userId, type, channel } = link;
    const label = this.#labelOf(link, locale);
    const target = this.#targetOf(link);
    if (target === null) {
      return { ...label, isOff: true, isChangeable: false };
    }
    const { types, choices } = await new Preferences(tenant, this.#context).list(userId);
    const isChosen = isOff(choices, target);
    const isMeant = (one: TypePreferences) => one.type === type || (target.category !== undefined && one.category === target.category);
    const found = types.filter(isMeant).flatMap((one) => {
      const over = one.channels.find((each) => each.channel === channel);
      return over ? [{ ...over, isOwn: one.type === type }] : [];
    });
    const own = found.filter(({ isOwn }) => isOwn);
    const said = isChosen ? own : found;
    // Of types that are not declared, the user's own choices say it.
    if (said.length === 0) {
      return { ...label, isOff: isChosen, isChangeable: true };
    }
    const on = said.filter(({ value }) => value !== "off");
    return { ...label, isOff: on.length === 0, isChangeable: (on.length > 0 ? on : said).some(({ isChangeable }) => isChangeable) };
  }

  #labelOf({ type, category, channel }: Unsubscription, locale: string): UnsubscribeLabel {
    const { types, categories } = this.#context;
    const ofCategory = category !== null && this.#hasCategory(category) ? categoryLabel(categories, category, locale) : null;
    return { label: ofCategory ?? typeLabel(types, type, locale), channel };
  }

  #hasCategory(category: string): boolean {
    return Object.values(this.#context.types).some((type) => type.category === category);
  }

  #isKnown(type: string): boolean {
    const { types } = this.#context;
    return Object.hasOwn(types, type) || Object.keys(types).length === 0;
  }
}

/** Whether the user chose off for a target. */
function isOff(choices: readonly Choice[], { type, category, channel }: ChoiceTarget): boolean {
  const [scope, wanted] = type === undefined ? ["category", category] : ["type", type];
  return choices.some(
    (one) => one.scope === scope && one.name === wanted && one.channel === channel && one.value === "off" && one.when === null,
  );
}

type SigningKey = Awaited<ReturnType<typeof signingKey>>;

const encoder = new TextEncoder();

/** The key of a secret, for these links alone: the same secret may sign other things elsewhere. */
async function signingKey(secret: string) {
  const algorithm = { name: "HMAC", hash: "SHA-256" } as const;
  return crypto.subtle.importKey("raw", encoder.encode(`belfry unsubscribe ${secret}`), algorithm, false, ["sign", "verify"]);
}

import { BelfryError } from "../foundation/errors.ts";
import { type ChecksOf, requireInput, requireNone } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import { categoryLabel, localeIssue } from "../notifications/index.ts";
import type { ChoiceValue, TenantChoice } from "./choice.ts";
import type { DecisionsContext } from "./context.ts";
import type { PreferencesOwner } from "./decisions-storage.ts";
import {
  categoriesOf,
  NO_SETTINGS,
  type PreferenceList,
  type PreferenceListOptions,
  sortedChoices,
  typePreferences,
} from "./list-preferences.ts";
import { type ChoiceTarget, type DefaultInput, type MuteTarget, parseChoice, parseMute, parsePlace } from "./parse-preferences.ts";
import { type DefaultSettingsInput, parseSettings, type SettingsInput } from "./parse-settings.ts";
import type { Settings } from "./settings.ts";

/** The most choices of a user, or of a tenant: every decision about the user reads them. */
const LIST_OPTIONS: ChecksOf<PreferenceListOptions> = { locale: localeIssue };

const MOST_CHOICES = 1_000;

/** A tenant's choices and settings for all its users. */
export interface DefaultList {
  /** The most specific first. */
  readonly choices: readonly TenantChoice[];
  /** What the tenant set; null for what was not set. */
  readonly settings: Settings;
}

/**
 * What a tenant chose for all its users: `notifications.preferences.defaults`. Offer it to those who run the application.
 *
 * @example
 * ```ts
 * await notifications.preferences.defaults.set({ category: "social", channel: "email" }, "weekly");
 * ```
 */
export class PreferenceDefaults<Type extends string = string> {
  readonly #owner: PreferencesOwner;
  readonly #context: DecisionsContext;

  /** Hosts do not call this. They use `notifications.preferences.defaults`. */
  constructor(tenant: string, context: DecisionsContext) {
    this.#owner = { tenant, userId: null };
    this.#context = context;
  }

  /**
   * Makes a choice for all users who chose nothing themselves, or with `locked: true` for all users whatever they chose. What they
   * chose stays stored, and counts again once the choice is not locked any more.
   *
   * @throws BelfryError `VALIDATION_ERROR`, `UNKNOWN_TYPE`; `INVALID_STATE` for more than 1,000 choices
   * @example
   * ```ts
   * await notifications.preferences.defaults.set({ category: "marketing" }, "off");
   * await notifications.preferences.defaults.set({ type: "invoice", channel: "email", locked: true }, "on");
   * ```
   */
  async set(input: DefaultInput<Type>, value: ChoiceValue): Promise<void> {
    const choice = parseChoice(this.#context, { what: "preferences.defaults.set", input, value, isDefault: true });
    await setChoice(this.#context, this.#owner, choice);
  }

  /** Takes the choice of the tenant about this target back, with these conditions. Returns whether there was one. @throws BelfryError `VALIDATION_ERROR` */
  async takeBack(target: ChoiceTarget<Type>): Promise<boolean> {
    const place = parsePlace("preferences.defaults.takeBack", target);
    using _call = await this.#context.ready();
    return await this.#context.decisions.takeBack(this.#owner, place);
  }

  /**
   * Changes settings that count for users who have none of their own; null takes one back. What waits for quiet hours is decided anew
   * when it is due. A new time of digests, or a new time zone, moves the open windows of users whom it concerns, before this resolves.
   *
   * @throws BelfryError `VALIDATION_ERROR`
   */
  async setSettings(input: DefaultSettingsInput): Promise<void> {
    const changes = parseSettings(this.#context, { what: "preferences.defaults.setSettings", input, isDefault: true });
    await changeSettings(this.#context, this.#owner, changes);
    if (changes.digest !== undefined || changes.timeZone !== undefined) {
      using _call = await this.#context.ready();
      await this.#context.moveWindows(this.#owner.tenant);
    }
  }

  /** Returns the tenant's choices and settings. */
  async list(): Promise<DefaultList> {
    using _call = await this.#context.ready();
    const { tenant } = await this.#context.decisions.preferencesOf(this.#owner.tenant, []);
    return { choices: sortedChoices(tenant.choices), settings: tenant.settings ?? NO_SETTINGS };
  }
}

/**
 * What users want to get, and when: `notifications.preferences`. Only explicit choices are stored, one for each target and its conditions. A general
 * choice never changes a specific one, and taking a choice back deletes it.
 *
 * @example
 * ```ts
 * await notifications.preferences.set("ann", { category: "social", channel: "email" }, "daily");
 * await notifications.preferences.setSettings("ann", { timeZone: "Europe/Berlin", quietHours: { from: "22:00", to: "07:00" } });
 * const { types } = await notifications.preferences.list("ann");
 * ```
 */
export class Preferences<Type extends string = string> {
  /** What the tenant chose for all its users. */
  readonly defaults: PreferenceDefaults<Type>;
  readonly #tenant: string;
  readonly #context: DecisionsContext;

  /** Hosts do not call this. They use `notifications.preferences` or `notifications.tenant(id).preferences`. */
  constructor(tenant: string, context: DecisionsContext) {
    this.defaults = new PreferenceDefaults<Type>(tenant, context);
    this.#tenant = tenant;
    this.#context = context;
  }

  /**
   * Makes a choice of a user, or changes the one about the same target with the same conditions. Where the tenant has locked its own choice, or the type is
   * required, the user's is stored and does not count.
   *
   * @param value `on` and `off` switch a channel; `immediate`, `hourly`, `daily` and `weekly` switch it on and say how often the
   *   user wants to hear of it. The inbox has no digests
   * @throws BelfryError `VALIDATION_ERROR`, `UNKNOWN_TYPE`; `INVALID_STATE` for more than 1,000 choices
   */
  async set(userId: string, target: ChoiceTarget<Type>, value: ChoiceValue): Promise<void> {
    const owner = this.#owner(userId);
    await setChoice(this.#context, owner, parseChoice(this.#context, { what: "preferences.set", input: target, value, isDefault: false }));
  }

  /** Takes the choice of a user about this target back, with these conditions, so that a more general one counts again. Returns whether there was one. @throws BelfryError `VALIDATION_ERROR` */
  async takeBack(userId: string, target: ChoiceTarget<Type>): Promise<boolean> {
    const owner = this.#owner(userId);
    const place = parsePlace("preferences.takeBack", target);
    using _call = await this.#context.ready();
    return await this.#context.decisions.takeBack(owner, place);
  }

  /** Mutes a topic or a group over every channel. @throws BelfryError `VALIDATION_ERROR`; `INVALID_STATE` for more than 1,000 choices */
  async mute(userId: string, target: MuteTarget): Promise<void> {
    const owner = this.#owner(userId);
    const place = parseMute("preferences.mute", target);
    await setChoice(this.#context, owner, { ...place, value: "off", isLocked: false });
  }

  /** Ends a mute. Returns whether there was one; another choice about the topic or group stays. @throws BelfryError `VALIDATION_ERROR` */
  async unmute(userId: string, target: MuteTarget): Promise<boolean> {
    const owner = this.#owner(userId);
    const place = parseMute("preferences.unmute", target);
    using _call = await this.#context.ready();
    const { decisions } = this.#context;
    const own = (await decisions.preferencesOf(owner.tenant, [owner.userId])).users.get(owner.userId)?.choices ?? [];
    const isMuted = own.some(
      ({ scope, name, channel, when, value }) =>
        scope === place.scope && name === place.name && channel === null && when === null && value === "off",
    );
    return isMuted && (await decisions.takeBack(owner, place));
  }

  /**
   * Changes settings of a user: time zone, quiet hours, a pause, and the time of digests. What is left out stays; null takes a
   * setting back. Deliveries that wait for the user's quiet hours are decided anew at once.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a time zone that is unknown, a time that is none, a pause that is over, and quiet hours
   *   that end as they begin, name the inbox, or leave no minute of the week free for a channel
   * @example
   * ```ts
   * await notifications.preferences.setSettings("ann", { quietHours: { from: "22:00", to: "07:00", days: ["sun", "mon"] } });
   * await notifications.preferences.setSettings("ann", { pauseUntil: new Date(Date.now() + 3_600_000) });
   * ```
   */
  async setSettings(userId: string, input: SettingsInput): Promise<void> {
    const owner = this.#owner(userId);
    const changes = parseSettings(this.#context, { what: "preferences.setSettings", input, isDefault: false });
    await changeSettings(this.#context, owner, changes);
    using _call = await this.#context.ready();
    await this.#context.reconsider(owner);
  }

  /**
   * Returns what counts for each declared type and channel that the user can get, where it comes from and whether the user may
   * change it; and the user's own choices and settings.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a user id or a language that cannot be; `RENDERING_FAILED` for a label that is no text
   */
  async list(userId: string, options: PreferenceListOptions = {}): Promise<PreferenceList> {
    const owner = this.#owner(userId);
    requireInput("preferences.list", options, LIST_OPTIONS);
    const { types, categories, decisions } = this.#context;
    using _call = await this.#context.ready();
    const [{ tenant, users }, reached] = await Promise.all([
      decisions.preferencesOf(owner.tenant, [owner.userId]),
      this.#context.reachable(owner),
    ]);
    const own = users.get(owner.userId);
    const user = own?.choices ?? [];
    const locale = options.locale ?? reached.locale ?? this.#context.locale;
    const shown = typePreferences({ types, locale }, { tenant, user }, reached.channels);
    return {
      types: shown,
      categories: categoriesOf(shown).map((category) => ({ category, label: categoryLabel(categories, category, locale) })),
      choices: sortedChoices(user),
      settings: own?.settings ?? NO_SETTINGS,
    };
  }

  #owner(userId: string): PreferencesOwner & { readonly userId: string } {
    requireNone([textIssue(userId, ["user_id"], NAME_RULE)]);
    return { tenant: this.#tenant, userId };
  }
}

async function setChoice(context: DecisionsContext, owner: PreferencesOwner, choice: TenantChoice): Promise<void> {
  using _call = await context.ready();
  await beginInbox(context, owner);
  if (!(await context.decisions.setChoice(owner, choice, MOST_CHOICES))) {
    const whose = owner.userId === null ? "The tenant has" : "The user has";
    throw new BelfryError("INVALID_STATE", `${whose} ${MOST_CHOICES} choices already, and may have no more. Take one back first.`);
  }
}

async function changeSettings(context: DecisionsContext, owner: PreferencesOwner, changes: Partial<Settings>): Promise<void> {
  using _call = await context.ready();
  if (Object.keys(changes).length > 0) {
    await beginInbox(context, owner);
    await context.decisions.changeSettings(owner, changes);
  }
}

/** Who chooses something is known from then on. */
async function beginInbox(context: DecisionsContext, { tenant, userId }: PreferencesOwner): Promise<void> {
  if (userId !== null) {
    await context.beginInboxes(tenant, [userId]);
  }
}

import type { Owner } from "../foundation/context.ts";
import type { ErasureStep, ExportStep, StepRange } from "../foundation/json.ts";
import type { Choice, ChoicePlace, TenantChoice } from "./choice.ts";
import type { Settings } from "./settings.ts";
import type { Throttle } from "./throttle.ts";

/** Whose choices and settings: a user's, or with null those of the tenant for all its users. */
export interface PreferencesOwner {
  readonly tenant: string;
  readonly userId: string | null;
}

/** The choices and settings of one owner. */
export interface OwnPreferences<Of extends Choice = Choice> {
  readonly choices: readonly Of[];
  /** Null where none was ever set. */
  readonly settings: Settings | null;
}

/** The choices and settings of some users and of their tenant, at one moment. */
export interface StoredPreferences {
  readonly tenant: OwnPreferences<TenantChoice>;
  /** By user id. Users who have neither are left out. */
  readonly users: ReadonlyMap<string, OwnPreferences>;
}

/** One question to a throttle: whether one more of a type may reach a user over a channel. */
export interface ThrottleQuestion extends Throttle {
  readonly userId: string;
  readonly type: string;
  readonly channel: string;
}

/** The part of a storage that keeps choices and settings. Its queries are scoped by tenant and user. */
export interface DecisionsStorage {
  /** Returns the choices and settings of these users and of the tenant. It is one statement, however many users are asked for. */
  preferencesOf(tenant: string, userIds: readonly string[]): Promise<StoredPreferences>;
  /**
   * Makes a choice, or changes the one at the same place; it touches no other. A user's choice is never locked.
   *
   * @param most how many choices the owner may have. Two calls at once may both take the last place
   * @returns false if the owner has so many already, none of them at this place; nothing is written then
   */
  setChoice(owner: PreferencesOwner, choice: TenantChoice, most: number): Promise<boolean>;
  /** Takes back the choice at a place. Returns false if there is none. */
  takeBack(owner: PreferencesOwner, place: ChoicePlace): Promise<boolean>;
  /** Changes the given settings and leaves the others; null takes one back. Several changes at once are made one after the other. */
  changeSettings(owner: PreferencesOwner, changes: Partial<Settings>): Promise<void>;
  /** When a throttle would be wholly free again, in milliseconds since 1970; null if it is. It uses nothing. */
  throttleFreeAt(owner: Owner, of: Pick<ThrottleQuestion, "type" | "channel">): Promise<number | null>;
  /** Forgets throttles that are wholly free again. */
  pruneThrottles(at: Date): Promise<void>;
  /** Removes up to `limit` choices of a user, and with the last of them the settings and throttles. */
  erase(owner: Owner, limit: number): Promise<ErasureStep>;
  /** Reads the choices of a user. */
  exportChoices(owner: Owner, range: StepRange): Promise<ExportStep<Choice>>;
  /** Reads the settings of a user: one record, or none. */
  exportSettings(owner: Owner): Promise<ExportStep<Settings>>;
}

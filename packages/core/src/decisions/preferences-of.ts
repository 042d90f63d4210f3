import { Choices } from "./choice.ts";
import type { DecisionsStorage } from "./decisions-storage.ts";
import { UserSettings } from "./settings.ts";

/** The preferences of a user, with those of the tenant behind them. */
export interface UserPreferences {
  readonly choices: Choices;
  readonly settings: UserSettings;
}

/** Reads the preferences of up to a chunk of users in one statement, and returns those of each. Their number is the caller's to bound. */
export async function preferencesOf(
  storage: DecisionsStorage,
  tenant: string,
  userIds: readonly string[],
): Promise<(userId: string) => UserPreferences> {
  const stored = await storage.preferencesOf(tenant, userIds);
  const choices = new Choices({ user: [], tenant: stored.tenant.choices });
  const others: UserPreferences = { choices, settings: new UserSettings({ user: null, tenant: stored.tenant.settings }) };
  return (userId) => {
    const own = stored.users.get(userId);
    if (own === undefined) {
      return others;
    }
    return {
      choices: own.choices.length === 0 ? choices : choices.withUser(own.choices),
      settings: new UserSettings({ user: own.settings, tenant: stored.tenant.settings }),
    };
  };
}

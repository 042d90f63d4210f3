import { Coalesced } from "../work/batch-queue.ts";
import type { DecisionsStorage } from "./decisions-storage.ts";
import { preferencesOf, type UserPreferences } from "./preferences-of.ts";

/** The most users of one statement. */
const CHUNK = 1_000;

/** Returns the preferences of one of the users that were asked for. */
export type PreferencesLookup = (userId: string) => UserPreferences;

interface Wanted {
  readonly tenant: string;
  readonly userIds: readonly string[];
}

/** Reads the preferences of users for decisions: those of one turn of the event loop together, in chunks. */
export class PreferencesReader {
  readonly #storage: DecisionsStorage;
  readonly #asked: Coalesced<Wanted, PreferencesLookup>;

  constructor(storage: DecisionsStorage) {
    this.#storage = storage;
    this.#asked = new Coalesced((wanted) => this.#read(wanted));
  }

  of(tenant: string, userIds: readonly string[]): Promise<PreferencesLookup> {
    return this.#asked.get({ tenant, userIds });
  }

  async #read(wanted: readonly Wanted[]): Promise<readonly PreferencesLookup[]> {
    const lookups = new Map<string, PreferencesLookup>();
    for (const [tenant, group] of Map.groupBy(wanted, (one) => one.tenant)) {
      lookups.set(tenant, await this.#readTenant(tenant, [...new Set(group.flatMap(({ userIds }) => userIds))]));
    }
    return wanted.map(({ tenant }) => lookups.get(tenant) as PreferencesLookup);
  }

  async #readTenant(tenant: string, userIds: readonly string[]): Promise<PreferencesLookup> {
    const first = await preferencesOf(this.#storage, tenant, userIds.slice(0, CHUNK));
    if (userIds.length <= CHUNK) {
      return first;
    }
    const byUser = new Map<string, PreferencesLookup>();
    for (let start = CHUNK; start < userIds.length; start += CHUNK) {
      const chunk = userIds.slice(start, start + CHUNK);
      const lookup = await preferencesOf(this.#storage, tenant, chunk);
      for (const userId of chunk) {
        byUser.set(userId, lookup);
      }
    }
    return (userId) => (byUser.get(userId) ?? first)(userId);
  }
}

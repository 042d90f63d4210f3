import type { PresenceStorage, Storage } from "@belfry/core/storage";
import { sqliteStorage } from "@belfry/storage-sqlite";
import type { Database } from "better-sqlite3";
import { type FailingStorage, failing } from "../outage.ts";

/** The storage of one process of a random walk. */
export interface WatchedStorage {
  readonly database: FailingStorage;
  readonly storage: Storage;
  /** The methods that were called while the storage was closed. */
  readonly whileClosed: string[];
  /** The process has died: nothing that it asks for is answered any more. */
  die(): void;
}

/** Everybody is connected to this process alone, but it has to say so. */
const presence: PresenceStorage = {
  announce: async () => true,
  renew: async () => true,
  async leave() {},
  holding: async (owners) => owners.map(() => []),
};

/** A storage over `database` that can be taken away, that can die, and that says what is asked of it once it is closed. */
export function watchedStorage(database: Database): WatchedStorage {
  const away = failing(Object.assign(sqliteStorage(database), { presence }));
  const state = { whileClosed: [] as string[], isOpen: false, isDead: false };
  const call = (target: object, key: string, args: unknown[]): unknown => {
    if (state.isDead) {
      return new Promise(() => {});
    }
    if (key === "open") {
      state.isOpen = true;
    } else if (key === "close") {
      state.isOpen = false;
    } else if (!state.isOpen) {
      state.whileClosed.push(key);
    }
    return Reflect.apply(Reflect.get(target, key), target, args);
  };
  return {
    database: away,
    storage: watch(away.storage, call) as Storage,
    whileClosed: state.whileClosed,
    die() {
      state.isDead = true;
    },
  };
}

type Call = (target: object, key: string, args: unknown[]) => unknown;

/** Has every method of `target`, and of its parts, called by `call`. */
function watch(target: object, call: Call): object {
  const parts = new Map<string | symbol, unknown>();
  return new Proxy(target, {
    get(_, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function" && (typeof value !== "object" || value === null)) {
        return value;
      }
      // The in-process transport is the walk's own.
      const make = () => (typeof value === "object" ? watch(value, call) : (...args: unknown[]) => call(target, String(key), args));
      if (!parts.has(key)) {
        parts.set(key, key === "transport" ? undefined : make());
      }
      return parts.get(key);
    },
  });
}

import { BelfryError } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";

/** A storage whose database a test can take away. */
export interface FailingStorage {
  readonly storage: Storage;
  /** While true, everything that would reach the database fails as it does when that is out of reach. */
  isDown: boolean;
  /** The methods that were asked for in vain, in their order. */
  readonly failures: string[];
}

/** Puts a database between a service and `storage` that a test can take away. */
export function failing(storage: Storage): FailingStorage {
  const state = { isDown: false, failures: [] as string[] };
  const away = (method: string | symbol) => {
    state.failures.push(String(method));
    return new BelfryError("STORAGE_UNAVAILABLE", "The test has taken the database away.");
  };
  const guard = (target: object, key: string | symbol): unknown => {
    const value: unknown = Reflect.get(target, key, target);
    if (typeof value !== "function") {
      return value;
    }
    return (...args: unknown[]) => (state.isDown ? Promise.reject(away(key)) : Reflect.apply(value, target, args));
  };
  const parts = new Map<unknown, unknown>();
  const part = (value: object): unknown => {
    const known = parts.get(value) ?? new Proxy(value, { get: guard });
    parts.set(value, known);
    return known;
  };
  const passedOn = new Set<string | symbol>(["close", "transport", "isOnlyWorker"]);
  const proxy = new Proxy(storage, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value === "object" && value !== null) {
        return part(value);
      }
      return passedOn.has(key) && typeof value === "function" ? value.bind(target) : guard(target, key);
    },
  });
  return Object.assign(state, { storage: proxy });
}

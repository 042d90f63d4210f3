import { BelfryError, type DevicePlatform, requireOptions } from "@belfry/core";
import type { Egress } from "@belfry/egress";
import { apnsProvider } from "./apns.ts";
import { expoProvider } from "./expo.ts";
import { fcmProvider } from "./fcm.ts";
import type { Provider } from "./provider.ts";
import { PUSH_KEYS, type PushKeys, type PushOptions } from "./push-options.ts";
import { webProvider } from "./web.ts";

/** Those who reach the devices of each platform. */
export type Providers = ReadonlyMap<DevicePlatform, Provider>;

/** What providers use beside their keys. */
export interface ProviderParts {
  readonly egress: Egress;
  readonly now: () => number;
}

/** Makes the providers of the platforms that have keys. @throws BelfryError `CONFIGURATION` for keys that cannot be used */
export function providersOf({ web, fcm, apns, expo }: PushKeys, parts: ProviderParts): Providers {
  const providers = new Map<DevicePlatform, Provider>();
  if (web !== undefined) {
    providers.set("web", webProvider(web, parts));
  }
  if (fcm !== undefined) {
    providers.set("fcm", fcmProvider(fcm, parts));
  }
  if (apns !== undefined) {
    providers.set("apns", apnsProvider(apns, parts));
  }
  if (expo !== undefined) {
    providers.set("expo", expoProvider(expo, parts));
  }
  return providers;
}

/** For how many tenants providers are kept. The one that was used longest ago makes room. */
const MAX_TENANTS = 1_000;

interface Held {
  /** The keys as JSON: others make providers anew. */
  readonly keys: string;
  readonly providers: Providers;
}

/** Returns the function that gives a tenant's providers: those of its own keys, which are kept while the keys are the same, or `shared`. */
export function providersByTenant(
  ofTenant: PushOptions["ofTenant"],
  shared: Providers,
  parts: ProviderParts,
): (tenant: string) => Promise<Providers> {
  const held = new Map<string, Held>();
  return async (tenant) => {
    const own = (await ofTenant?.(tenant)) ?? null;
    if (own === null) {
      return shared;
    }
    requireOptions("the keys of push's ofTenant", own, PUSH_KEYS);
    const keys = JSON.stringify(own);
    const known = held.get(tenant);
    const providers = known?.keys === keys ? known.providers : providersOf(own, parts);
    held.delete(tenant);
    held.set(tenant, { keys, providers });
    const [oldest] = held.keys();
    if (held.size > MAX_TENANTS && oldest !== undefined) {
      held.delete(oldest);
    }
    return providers;
  };
}

/** Refuses a channel that reaches no device at all. */
export function requirePlatform(shared: Providers, ofTenant: PushOptions["ofTenant"]): void {
  if (ofTenant !== undefined && typeof ofTenant !== "function") {
    throw new BelfryError("CONFIGURATION", "push: ofTenant is not a function of the tenant; give (tenant) => ({ … })");
  }
  if (shared.size === 0 && ofTenant === undefined) {
    throw new BelfryError("CONFIGURATION", "push needs one of web, fcm, apns and expo");
  }
}

import { BelfryError, type Channel, type DevicePlatform, parseDeviceAddress, requireOptions } from "@belfry/core";
import { createEgress } from "@belfry/egress";
import { apnsProvider } from "./apns.ts";
import { expoProvider } from "./expo.ts";
import { fcmProvider } from "./fcm.ts";
import type { Provider } from "./provider.ts";
import { PUSH_EGRESS, PUSH_OPTIONS, type PushOptions } from "./push-options.ts";
import { webProvider } from "./web.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const RETRY_DELAYS_MS = [5 * SECOND, 30 * SECOND, 5 * MINUTE, 30 * MINUTE, 120 * MINUTE];
const DEFAULT_TIMEOUT_MS = 15 * SECOND;
/** The channel ends an attempt itself and says why. The engine's limit is this much longer, in case that fails. */
const ENGINE_MARGIN_MS = SECOND;

/**
 * Makes the channel that pushes to the devices of users: browsers, and phones by Firebase, Apple's service and Expo. Each device gets a
 * delivery of its own. A push that its provider took is `sent`; a device that its provider says is gone is removed.
 *
 * @throws BelfryError `CONFIGURATION` for keys that cannot be used, and without any platform
 * @example
 * ```ts
 * const channel = push({ web: { vapid }, fcm: { serviceAccount } });
 * const notifications = new NotificationService({ storage, channels: [channel] });
 * ```
 */
export function push(options: PushOptions): Channel {
  requireOptions("push", options, PUSH_OPTIONS);
  requireOptions("push's egress", options.egress ?? {}, PUSH_EGRESS);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  if (!(Number.isFinite(timeoutMs) && timeoutMs > 0)) {
    throw new BelfryError("CONFIGURATION", "push: timeoutMs is no number of milliseconds above 0");
  }
  const name = options.name ?? "push";
  const providers = providersOf(options);
  const find = (address: string) => {
    const device = parseDeviceAddress(address);
    const provider = device === null ? undefined : providers.get(device.platform);
    return device === null || provider === undefined ? null : { device, provider };
  };
  return {
    name,
    devices: [...providers.keys()],
    retryDelaysMs: options.retryDelaysMs ?? RETRY_DELAYS_MS,
    timeoutMs: timeoutMs + ENGINE_MARGIN_MS,
    invalidRecipient(address) {
      const found = find(address);
      return found === null ? "is no device of a platform that is set up" : found.provider.invalidDevice(found.device);
    },
    async deliver(task, signal) {
      const found = find(task.address);
      if (found === null) {
        return { status: "failed", provider: name, transient: false, error: "The device is of a platform that is not set up." };
      }
      return found.provider.push({ task, device: found.device, timeoutMs, signal });
    },
  } satisfies Channel;
}

function providersOf({ web, fcm, apns, expo, ...options }: PushOptions): ReadonlyMap<DevicePlatform, Provider> {
  const egress = createEgress({ ...options.egress, allowPrivate: options.allowPrivate ?? false });
  const parts = { egress, now: options.now ?? Date.now };
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
  if (providers.size === 0) {
    throw new BelfryError("CONFIGURATION", "push needs one of web, fcm, apns and expo");
  }
  return providers;
}

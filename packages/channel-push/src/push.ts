import { BelfryError, type Channel, DEVICE_PLATFORMS, parseDeviceAddress, requireOptions } from "@belfry/core";
import { createEgress, faultOfTimes } from "@belfry/egress";
import { providersByTenant, providersOf, requirePlatform } from "./providers.ts";
import { PUSH_EGRESS, PUSH_OPTIONS, type PushOptions } from "./push-options.ts";
import { invalidBrowser } from "./web.ts";

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
  const fault = faultOfTimes({ timeoutMs, retryDelaysMs: options.retryDelaysMs });
  if (fault !== null) {
    throw new BelfryError("CONFIGURATION", `push: ${fault}`);
  }
  const name = options.name ?? "push";
  const { ofTenant } = options;
  const egress = createEgress({ ...options.egress, allowPrivate: options.allowPrivate ?? false });
  const parts = { egress, now: options.now ?? Date.now };
  const shared = providersOf(options, parts);
  requirePlatform(shared, ofTenant);
  const providersFor = providersByTenant(ofTenant, shared, parts);
  // Which platforms a tenant has is known when something is pushed.
  const platforms = ofTenant === undefined ? [...shared.keys()] : DEVICE_PLATFORMS;
  return {
    name,
    takes: `the devices of users, of these platforms: ${platforms.join(", ")}`,
    devices: platforms,
    retryDelaysMs: options.retryDelaysMs ?? RETRY_DELAYS_MS,
    timeoutMs: timeoutMs + ENGINE_MARGIN_MS,
    webPushKey: async (tenant) => ((await ofTenant?.(tenant)) ?? options).web?.vapid.publicKey ?? null,
    invalidRecipient(address) {
      const device = parseDeviceAddress(address);
      if (device === null || !platforms.includes(device.platform)) {
        return "is no device of a platform that is set up";
      }
      return device.platform === "web" ? invalidBrowser(device, egress) : null;
    },
    async deliver(task, signal) {
      const device = parseDeviceAddress(task.address);
      const provider = device === null ? undefined : (await providersFor(task.tenant)).get(device.platform);
      if (device === null || provider === undefined) {
        return { status: "failed", provider: name, transient: false, error: "The device is of a platform that is not set up." };
      }
      signal.throwIfAborted();
      return provider.push({ task, device, timeoutMs, signal });
    },
  } satisfies Channel;
}

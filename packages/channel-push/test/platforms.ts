import { type Channel, deviceAddress, type PushDevice } from "@belfry/core";
import {
  type ApnsService,
  apnsService,
  expoService,
  type FcmService,
  fcmService,
  type PushService,
  webPushService,
} from "@belfry/testkit/push";
import { type PushOptions, push } from "../src/index.ts";
import { deviceOf } from "./task.ts";

/** A local service, and a channel that reaches it. */
export interface Platform<Service extends PushService = PushService> {
  readonly service: Service;
  readonly options: PushOptions;
  readonly channel: Channel;
  /** Makes one more device. */
  device(): PushDevice;
  /** What no outcome may contain. */
  readonly secrets: readonly string[];
}

let devices = 0;

function platformOf<Service extends PushService>(
  service: Service,
  options: PushOptions,
  { device, secrets }: Pick<Platform, "device" | "secrets">,
): Platform<Service> {
  const all = { ...options, allowPrivate: true, timeoutMs: 30_000 };
  return { service, options: all, channel: push(all), device, secrets };
}

function token(): string {
  devices += 1;
  return devices.toString(16).padStart(64, "0");
}

/** Browsers. */
export async function web() {
  const service = await webPushService();
  const device = () => {
    const { endpoint, keys } = service.subscribe();
    return deviceOf("web", endpoint, { keys });
  };
  return platformOf(service, { web: { vapid: service.vapid } }, { device, secrets: [service.vapid.privateKey] });
}

/** Firebase. */
export async function fcm(): Promise<Platform<FcmService>> {
  const service = await fcmService();
  const { url, serviceAccount } = service;
  const secrets = [serviceAccount.private_key.split("\n")[1] ?? "", "ya29."];
  return platformOf(service, { fcm: { url, serviceAccount } }, { device: () => deviceOf("fcm", token()), secrets });
}

/** Apple's service. */
export async function apns(): Promise<Platform<ApnsService>> {
  const service = await apnsService();
  const secrets = [service.apns.key.split("\n")[1] ?? "", "bearer "];
  return platformOf(service, { apns: service.apns }, { device: () => deviceOf("apns", token()), secrets });
}

/** Expo's service. */
export async function expo(): Promise<Platform> {
  const service = await expoService();
  const accessToken = "the access token of Expo";
  const device = () => deviceOf("expo", `ExponentPushToken[${token()}]`);
  return platformOf(service, { expo: { url: service.url, accessToken } }, { device, secrets: [accessToken] });
}

/** Every platform by name. */
export const PLATFORMS: Readonly<Record<string, () => Promise<Platform>>> = { web, fcm, apns, expo };

/** A device as the recipient of the suite. */
export const recipientOf = (platform: Platform) => deviceAddress(platform.device());

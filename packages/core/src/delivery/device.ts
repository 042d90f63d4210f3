/** The kinds of devices, by the protocol that reaches them: browsers, Firebase Cloud Messaging, Apple's service, and Expo's. */
export const DEVICE_PLATFORMS = ["web", "fcm", "apns", "expo"] as const;

/** A kind of devices: see {@link DEVICE_PLATFORMS}. */
export type DevicePlatform = (typeof DEVICE_PLATFORMS)[number];

/** The keys of a browser's subscription, which encrypt what is pushed to it: base64url without padding. */
export interface WebPushKeys {
  /** The browser's public key: an uncompressed point of P-256. */
  readonly p256dh: string;
  /** The secret that browser and sender share: 16 bytes. */
  readonly auth: string;
}

/** An endpoint of a user for push, as lists show it. Its token is a secret: only its end is shown. */
export interface Device {
  /** UUIDv7. It stays while the same user registers the same token again. */
  readonly id: string;
  readonly platform: DevicePlatform;
  /** The last characters of the token, or of a browser's endpoint: enough to tell two devices apart. */
  readonly tokenEnd: string;
  /** The app that registered it, such as the bundle id that Apple's service knows it by; null for the only one. */
  readonly app: string | null;
  /** What users call it, such as `Ann's phone`; null for none. */
  readonly name: string | null;
  readonly createdAt: Date;
  /** When it was registered last. */
  readonly seenAt: Date;
}

/** A device with what reaches it. */
export interface StoredDevice extends Omit<Device, "tokenEnd"> {
  readonly userId: string;
  /** The token that the platform gave the app; the endpoint of a browser's subscription. */
  readonly token: string;
  /** Of a browser; null for the other platforms. */
  readonly keys: WebPushKeys | null;
}

/** How many characters of a token are shown. */
const SHOWN_CHARACTERS = 6;
/** Of a shorter token, less is shown. */
const SHOWN_SHARE = 4;

/** A device as it may be shown: without what reaches it. */
export function shownDevice({ token, keys: _, userId: __, ...device }: StoredDevice): Device {
  const { id, platform, ...rest } = device;
  const length = Math.min(SHOWN_CHARACTERS, Math.floor(token.length / SHOWN_SHARE));
  return { id, platform, tokenEnd: token.slice(token.length - length), ...rest };
}

/** A device as a channel is given it: what reaches it. */
export type PushDevice = Pick<StoredDevice, "platform" | "token" | "keys" | "app">;

/**
 * A device as the address of a delivery; {@link parseDeviceAddress} reads it.
 *
 * @example
 * ```ts
 * deviceAddress({ platform: "fcm", token: "a-token", keys: null, app: null });
 * ```
 */
export function deviceAddress({ platform, token, keys, app }: PushDevice): string {
  return JSON.stringify({ platform, token, keys, app });
}

/**
 * Reads the address of a delivery over a channel that has `devices`: a device in JSON, with `platform`, `token`, and, if it has them, `keys` and
 * `app`. Null for a text that is none.
 *
 * @example
 * ```ts
 * const device = parseDeviceAddress(task.address);
 * ```
 */
export function parseDeviceAddress(address: string): PushDevice | null {
  const given = address.startsWith("{") ? jsonOf(address) : null;
  if (typeof given !== "object" || given === null) {
    return null;
  }
  const { platform, token, keys = null, app = null } = given as Readonly<Record<keyof PushDevice, unknown>>;
  const known = DEVICE_PLATFORMS.find((one) => one === platform);
  return known !== undefined && typeof token === "string" && token !== "" && areKeys(keys) && (app === null || typeof app === "string")
    ? { platform: known, token, keys, app }
    : null;
}

function areKeys(keys: unknown): keys is WebPushKeys | null {
  const { p256dh, auth } = (typeof keys === "object" && keys !== null ? keys : {}) as Partial<Record<keyof WebPushKeys, unknown>>;
  return keys === null || (typeof p256dh === "string" && typeof auth === "string");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no device.
    return null;
  }
}

/** Where the devices of users are kept. */
export interface DeviceSource {
  /** Returns the devices of users, by user id, then oldest first. */
  of(tenant: string, userIds: readonly string[]): Promise<readonly StoredDevice[]>;
  /** Removes a device that is gone, unless its token has changed since. Returns whether it was there. */
  removeGone(tenant: string, device: Pick<StoredDevice, "id" | "token">): Promise<boolean>;
}

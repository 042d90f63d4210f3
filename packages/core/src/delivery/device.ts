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

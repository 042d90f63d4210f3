import { DEVICE_PLATFORMS, type DevicePlatform, type WebPushKeys } from "../delivery/index.ts";
import { fromBase64Url } from "../foundation/digest.ts";
import type { Issue } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { type ChecksOf, requireInput, requireNone } from "../foundation/issue-list.ts";
import { type Check, describe, isPlain, NAME_RULE, oneOf, text, textIssue } from "../foundation/parse-text.ts";
import type { NewDevice } from "./devices-storage.ts";

/** A browser's subscription, as its `toJSON()` gives it. */
export interface WebPushSubscription {
  /** The URL of the browser's push service, which is the subscription's own. */
  readonly endpoint: string;
  readonly keys: WebPushKeys;
  /** As browsers give it. Belfry goes by what the push service answers instead. */
  readonly expirationTime?: number | null;
}

/** What is said of a device, whatever its platform. */
export interface DeviceTerms {
  /** The app that registers it: for Apple's service its bundle id. @default the only app there is */
  readonly app?: string;
  /** What users call it. @default none */
  readonly name?: string;
  /** The id of the user's device that this is: after its platform gave it a new token. It keeps the id. @default none */
  readonly replaces?: string;
}

/** A browser, with its subscription. */
export interface WebDeviceInput extends DeviceTerms {
  readonly platform: "web";
  readonly subscription: WebPushSubscription;
  readonly token?: never;
}

/** A device with a token of its platform. */
export interface TokenDeviceInput extends DeviceTerms {
  readonly platform: Exclude<DevicePlatform, "web">;
  /** As the platform gave it to the app; for Apple's service in hexadecimal. */
  readonly token: string;
  readonly subscription?: never;
}

/** A device to register. */
export type DeviceInput = WebDeviceInput | TokenDeviceInput;

/** The texts that each platform gives as tokens: they become parts of URLs and bodies. */
const TOKENS: Readonly<Record<Exclude<DevicePlatform, "web">, RegExp>> = {
  fcm: /^[\w:.~-]{1,4096}$/,
  apns: /^[0-9a-f]{16,200}$/i,
  expo: /^Expo(?:nent)?PushToken\[[\w-]{1,200}\]$/,
};

/** What names an app: it becomes a header. */
const APP = /^[\w.-]{1,255}$/;

const P256DH_BYTES = 65;
/** The first byte of a point that is not compressed. */
const UNCOMPRESSED = 4;
const AUTH_BYTES = 16;
const ENDPOINT_RULE = { minLength: 1, maxLength: 2_048 };

const uuidIssue: Check = (value, name) =>
  typeof value === "string" && isUuid(value) ? null : { path: [name], type: "uuid_parsing", message: "must be the id of a device" };

const anything: Check = () => null;

const DEVICE: ChecksOf<DeviceInput> = {
  platform: oneOf(DEVICE_PLATFORMS),
  // These two are checked by platform.
  token: anything,
  subscription: anything,
  app: (value) => (typeof value === "string" && APP.test(value) ? null : issueOf(["app"], "must be up to 255 letters, digits, . _ or -")),
  name: text(NAME_RULE),
  replaces: uuidIssue,
};

const SUBSCRIPTION: ChecksOf<WebPushSubscription> = {
  endpoint: (value) => endpointIssue(value),
  keys: anything,
  expirationTime: (value) =>
    value === null || typeof value === "number" ? null : issueOf(["expirationTime"], `must be a number or null, is ${describe(value)}`),
};

const KEYS: ChecksOf<WebPushKeys> = {
  p256dh: keyIssue((bytes) => bytes.length === P256DH_BYTES && bytes[0] === UNCOMPRESSED, "a point of P-256, not compressed"),
  auth: keyIssue((bytes) => bytes.length === AUTH_BYTES, `${AUTH_BYTES} bytes`),
};

/** Checks a device. No message shows a token. @throws BelfryError `VALIDATION_ERROR` */
export function parseDevice(input: DeviceInput): Omit<NewDevice, "id"> & { readonly replaces: string | null } {
  requireInput("devices.register", input, DEVICE);
  requireNone([oneOf(DEVICE_PLATFORMS)(input.platform, "platform")]);
  const { platform, app = null, name = null, replaces } = input;
  const terms = { platform, app, name, replaces: replaces?.toLowerCase() ?? null };
  if (input.platform === "web") {
    requireNone([strayIssue(input.token, "token", "a browser has a subscription")]);
    const { endpoint, keys } = requireSubscription(input.subscription);
    return { ...terms, token: endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } };
  }
  const { token, subscription } = input;
  requireNone([strayIssue(subscription, "subscription", "only a browser has one"), tokenIssue(input.platform, token)]);
  return { ...terms, token: input.platform === "apns" ? token.toLowerCase() : token, keys: null };
}

function requireSubscription(subscription: WebPushSubscription): WebPushSubscription {
  if (typeof subscription !== "object" || subscription === null) {
    requireNone([issueOf(["subscription"], `must be the subscription of a browser, is ${describe(subscription)}`)]);
  }
  requireInput("subscription", subscription, SUBSCRIPTION);
  const { endpoint, keys } = subscription;
  requireNone([endpointIssue(endpoint), isObject(keys) ? null : issueOf(["keys"], `must be an object, is ${describe(keys)}`)]);
  requireInput("keys", keys, KEYS);
  requireNone([KEYS.p256dh(keys.p256dh, "p256dh"), KEYS.auth(keys.auth, "auth")]);
  return subscription;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && isPlain(value);
}

function endpointIssue(value: unknown): Issue | null {
  const issue = textIssue(value, ["endpoint"], ENDPOINT_RULE);
  if (issue !== null) {
    return issue;
  }
  const protocol = URL.parse(value as string)?.protocol;
  return protocol === "https:" || protocol === "http:" ? null : issueOf(["endpoint"], "must begin with https:// or http://");
}

function keyIssue(isRight: (bytes: Uint8Array) => boolean, expected: string): Check {
  return (value, name) => {
    const bytes = typeof value === "string" ? fromBase64Url(value.replace(/=+$/, "")) : null;
    return bytes !== null && isRight(bytes) ? null : issueOf([name], `must be ${expected} in base64url`);
  };
}

function tokenIssue(platform: Exclude<DevicePlatform, "web">, token: unknown): Issue | null {
  return typeof token === "string" && TOKENS[platform].test(token) ? null : issueOf(["token"], `must be a token of ${platform}`);
}

function strayIssue(value: unknown, name: string, why: string): Issue | null {
  return value === undefined ? null : issueOf([name], `must be left out for this platform: ${why}`);
}

function issueOf(path: Issue["path"], message: string): Issue {
  return { path, type: "value_error", message };
}

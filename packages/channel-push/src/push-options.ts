import type { EgressOptions } from "@belfry/egress";
import type { ApnsOptions } from "./apns-options.ts";

/** The keys by which push services of browsers know the sender (RFC 8292). `npx web-push generate-vapid-keys` makes a pair. */
export interface VapidKeys {
  /** Where the operator of a push service reaches you: `mailto:` or `https:`. */
  readonly subject: string;
  /** In base64url. Pages subscribe with it, as their `applicationServerKey`. */
  readonly publicKey: string;
  /** In base64url. */
  readonly privateKey: string;
}

/** How browsers are reached. */
export interface WebPushOptions {
  readonly vapid: VapidKeys;
  /** How long a push service keeps what it cannot deliver yet, in seconds. @default 4 weeks */
  readonly ttlSeconds?: number;
}

/** A service account of Google, as its JSON file has it. */
export interface ServiceAccount {
  readonly project_id: string;
  readonly client_email: string;
  /** In PEM. */
  readonly private_key: string;
  /** @default Google's own */
  readonly token_uri?: string;
}

/** How Firebase Cloud Messaging is reached, by its HTTP v1 API. */
export interface FcmOptions {
  readonly serviceAccount: ServiceAccount;
  /** @default "https://fcm.googleapis.com" */
  readonly url?: string;
}

/** How Expo's push service is reached. */
export interface ExpoOptions {
  /** For projects that require one. @default none */
  readonly accessToken?: string;
  /** @default "https://exp.host" */
  readonly url?: string;
}

/** The keys of the platforms that are reached; devices of the others are not. */
export interface PushKeys {
  readonly web?: WebPushOptions;
  readonly fcm?: FcmOptions;
  readonly apns?: ApnsOptions;
  readonly expo?: ExpoOptions;
}

/** The options of {@link push}. At least one of `web`, `fcm`, `apns`, `expo` and `ofTenant` is there. */
export interface PushOptions extends PushKeys {
  /**
   * The keys of a tenant whose apps are its own; null for a tenant that uses those above. It is asked for every attempt, and its time is the
   * attempt's, so that changed keys count at once; connections and tokens are kept for up to 1,000 tenants while their keys are the same. Devices of every platform may be
   * registered then. @default every tenant uses those above
   */
  readonly ofTenant?: (tenant: string) => PushKeys | null | Promise<PushKeys | null>;
  /**
   * Lets pushes reach loopback and private networks, and use plain http: for tests. The endpoints of browsers are given by users.
   * @default false
   */
  readonly allowPrivate?: boolean;
  /** How long a provider may take, in milliseconds. @default 15,000 */
  readonly timeoutMs?: number;
  /** The channel's name. @default "push" */
  readonly name?: string;
  /** The delays before the second, third, … attempt, in milliseconds. @default 5 s, 30 s, 5 m, 30 m, 2 h */
  readonly retryDelaysMs?: readonly number[];
  /** The resolver of names and the opener of connections, but for Apple's service. @default the system's resolver, and sockets */
  readonly egress?: Omit<EgressOptions, "allowPrivate">;
  /** Tells the time, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** The platforms by name. */
export const PUSH_KEYS: Readonly<Record<keyof PushKeys, true>> = { web: true, fcm: true, apns: true, expo: true };

/** Every option by name. */
export const PUSH_OPTIONS: Readonly<Record<keyof PushOptions, true>> = {
  ...PUSH_KEYS,
  ...{ ofTenant: true, allowPrivate: true, timeoutMs: true, name: true, retryDelaysMs: true, egress: true, now: true },
};

/** The options of each platform by name. */
export const WEB_OPTIONS: Readonly<Record<keyof WebPushOptions, true>> = { vapid: true, ttlSeconds: true };
export const VAPID_KEYS: Readonly<Record<keyof VapidKeys, true>> = { subject: true, publicKey: true, privateKey: true };
export const FCM_OPTIONS: Readonly<Record<keyof FcmOptions, true>> = { serviceAccount: true, url: true };
export const EXPO_OPTIONS: Readonly<Record<keyof ExpoOptions, true>> = { accessToken: true, url: true };
export const PUSH_EGRESS: Readonly<Record<keyof NonNullable<PushOptions["egress"]>, true>> = { ca: true, resolve: true, connect: true };

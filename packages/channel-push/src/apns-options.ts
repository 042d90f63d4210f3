/** How Apple's push service is reached, by a key for tokens. */
export interface ApnsOptions {
  /** The ten characters that name your team. */
  readonly teamId: string;
  /** The ten characters that name the key. */
  readonly keyId: string;
  /** The key: the contents of its .p8 file. */
  readonly key: string;
  /** The bundle id of the app, for devices that were registered without `app`. */
  readonly topic: string;
  /** @default "https://api.push.apple.com" */
  readonly url?: string;
  /** Certificate authorities to trust instead of the well-known ones, as PEM. @default Node's own */
  readonly ca?: string;
}

/** Every option by name. */
export const APNS_OPTIONS: Readonly<Record<keyof ApnsOptions, true>> = {
  ...{ teamId: true, keyId: true, key: true, topic: true, url: true, ca: true },
};

import { PUSH_CHANNEL } from "./push-channel.ts";

/** What a browser keeps of its registration for push, where both its pages and the service worker find it. */
export interface KeptDevice {
  /** The id that the server gave it. */
  readonly id: string;
  /** Whose pushes it gets; null if the client was not told. */
  readonly user: string | null;
  /** The endpoint that the server knows. */
  readonly endpoint: string;
  /** The key of the sender that it subscribed with, in base64url. */
  readonly publicKey: string;
  /** When it was registered last, in milliseconds since 1970. */
  readonly registeredAt: number;
  /** How the service worker asks the server by itself; null if only pages have what says who the user is. */
  readonly asks: { readonly url: string; readonly credentials: RequestCredentials } | null;
  /** What the client was given. */
  readonly options: PushLook & { readonly name?: string };
}

/** What notifications look like, apart from what they say. */
export interface PushLook {
  /** The address of a picture beside the texts. @default the browser's own */
  readonly icon?: string;
  /** The address of a small picture in one colour, for the status bar of a phone. @default the browser's own */
  readonly badge?: string;
  /** The title of a push that cannot be read, or has none: browsers want one to be shown. @default "New notification" */
  readonly plainTitle?: string;
}

const DEVICE = "belfry-push/device";
const OPENED = "belfry-push/opened/";

/** The browser's memory of one service worker, by its scope: a cache, the only one that pages and workers share without a schema. */
export class PushMemory {
  readonly #scope: string;

  constructor(scope: string) {
    this.#scope = scope;
  }

  /** The device as it was kept; null for none. */
  async device(): Promise<KeptDevice | null> {
    const found = await (await this.#cache()).match(this.#at(DEVICE));
    return found === undefined ? null : ((await found.json()) as KeptDevice);
  }

  /** Keeps the device in place of an earlier one, or forgets it. */
  async keep(device: KeptDevice | null): Promise<void> {
    const cache = await this.#cache();
    await (device === null ? cache.delete(this.#at(DEVICE)) : cache.put(this.#at(DEVICE), new Response(JSON.stringify(device))));
  }

  /** Notes that the user opened a notification that nobody has marked as read yet. */
  async noteOpened(id: string): Promise<void> {
    await (await this.#cache()).put(this.#at(OPENED + encodeURIComponent(id)), new Response());
  }

  /** Hands over the ids of the notifications that were opened. */
  async takeOpened(): Promise<readonly string[]> {
    const cache = await this.#cache();
    const beginning = this.#at(OPENED);
    const found = (await cache.keys()).filter(({ url }) => url.startsWith(beginning));
    await Promise.all(found.map((request) => cache.delete(request)));
    return found.map(({ url }) => decodeURIComponent(url.slice(beginning.length)));
  }

  #cache(): Promise<Cache> {
    return caches.open(PUSH_CHANNEL);
  }

  #at(name: string): string {
    return new URL(name, this.#scope).href;
  }
}

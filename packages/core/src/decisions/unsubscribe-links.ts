import { fingerprint, fromBase64Url, toBase64Url } from "../foundation/digest.ts";
import { isRequired, type NotificationTypes } from "../notifications/index.ts";
import type { ChoicePlace } from "./choice.ts";
import type { DigestFrequency } from "./decide.ts";

/** Below the address that a host's Belfry has for others. */
export const UNSUBSCRIBE_PATH = "/belfry/unsubscribe/";

/** Longer than every link that Belfry makes. */
const MAX_TOKEN = 8_192;
/** The first members of what is signed: a link about a type, and one about what a digest of several types is of. */
const OF_TYPE = 1;
const OF_DIGEST = 2;
/** So many topics and groups of a digest are in its link: with them it stays below 998 characters, the longest line of a mail. */
const MAX_PLACES = 30;

/** Whose mail gets a link, and over which channel it comes. */
interface LinkOwner {
  readonly tenant: string;
  readonly userId: string;
  readonly channel: string;
}

/** What a notification came by beside its type; null for none. */
export interface CameBy {
  readonly topic: string | null;
  readonly group: string | null;
}

/** A notification for a user over a channel, whose mail gets a link. */
export interface UnsubscribeSubject extends LinkOwner {
  readonly type: string;
  /** That of the notification, or those of all that a digest of its type shows. */
  readonly cameBy: readonly CameBy[];
}

/** A digest for a user over a channel, whose mail gets a link. */
export interface DigestSubject extends LinkOwner {
  /** The types of all its notifications, each once. */
  readonly types: readonly string[];
  readonly plan: DigestOf;
  /** Those of the notifications that it shows, in their order. */
  readonly cameBy: readonly CameBy[];
}

/** What a digest bundles. */
interface DigestOf extends Pick<ChoicePlace, "scope" | "name"> {
  /** How often it comes, where that was chosen. */
  readonly frequency: DigestFrequency | null;
}

/** A type, and the category that it had when the link was made, null for none. */
interface AboutType {
  readonly type: string;
  readonly category: string | null;
  /** Marks of topics and groups, as {@link placeMark} makes them. Links of older versions have none. */
  readonly places: readonly string[];
}

/** What a link is about: a type, or what a digest is of. */
export type UnsubscribeTopic = AboutType | (DigestOf & { readonly type?: never });

/** Marks a topic or a group in a link. A choice of the user is compared with it, so the name itself need not be there. */
export function placeMark({ scope, name }: Pick<ChoicePlace, "scope" | "name">): string {
  return fingerprint([scope, name]);
}

/** What a link switches off. */
export interface Unsubscription extends LinkOwner {
  readonly about: UnsubscribeTopic;
}

/** Where links lead, and what signs them. */
export interface UnsubscribeOptions {
  /** The address under which others reach Belfry's handler, without a slash at its end. */
  readonly publicUrl: string;
  /** The first one signs. All are accepted. */
  readonly secrets: readonly string[];
}

/** Makes and reads signed links. It is one object for all tenants. */
export class UnsubscribeLinks {
  readonly #publicUrl: string;
  readonly #types: NotificationTypes;
  readonly #keys: Promise<readonly SigningKey[]>;

  constructor({ publicUrl, secrets }: UnsubscribeOptions, types: NotificationTypes) {
    this.#publicUrl = publicUrl;
    this.#types = types;
    this.#keys = Promise.all(secrets.map(signingKey));
  }

  /** The link of a mail. Null where the user has nothing to switch off: the type is required, or it is not declared any more. */
  async linkFor({ tenant, userId, type, channel, cameBy }: UnsubscribeSubject): Promise<string | null> {
    if (!this.#isChosen(type, channel)) {
      return null;
    }
    const places = marksOf(cameBy);
    // Older versions read the first six members, and so stay able to follow the link.
    return this.#signed([OF_TYPE, tenant, userId, type, this.#categoryOf(type), channel, ...(places.length > 0 ? [places] : [])]);
  }

  /**
   * The link of a digest: of the group, topic or category that it bundles; else of its type, if it has only one; else of the category
   * that all its types share; else of what the frequency was chosen for. Null where the user has nothing to switch off.
   */
  async linkForDigest({ types, plan, cameBy, ...owner }: DigestSubject): Promise<string | null> {
    const { tenant, userId, channel } = owner;
    const signed = ({ scope, name, frequency }: DigestOf) => this.#signed([OF_DIGEST, tenant, userId, channel, scope, name, frequency]);
    if (!types.some((type) => this.#isChosen(type, channel))) {
      return null;
    }
    if (plan.scope !== "all" && plan.scope !== "type") {
      return signed(plan);
    }
    const [type, ...others] = types;
    if (type !== undefined && others.length === 0) {
      return this.linkFor({ ...owner, type, cameBy });
    }
    const [category = null, ...more] = new Set(types.map((one) => this.#categoryOf(one)));
    const isShared = category !== null && more.length === 0;
    return signed(isShared ? { scope: "category", name: category, frequency: null } : plan);
  }

  /** What a link says; null for one that this service did not sign. */
  async read(token: string): Promise<Unsubscription | null> {
    const [said, signature, ...rest] = token.length > MAX_TOKEN ? [] : token.split(".").map(fromBase64Url);
    if (!said || !signature || rest.length > 0) {
      return null;
    }
    const checks = (await this.#keys).map((key) => crypto.subtle.verify("HMAC", key, signature, said));
    if (!(await Promise.all(checks)).includes(true)) {
      return null;
    }
    const [version, tenant, userId, ...members] = JSON.parse(new TextDecoder().decode(said));
    if (version === OF_TYPE) {
      const [type, category, channel, places = []] = members;
      return { tenant, userId, channel, about: { type, category, places } };
    }
    const [channel, scope, name, frequency] = members;
    return version === OF_DIGEST ? { tenant, userId, channel, about: { scope, name, frequency } } : null;
  }

  #categoryOf(type: string): string | null {
    return (Object.hasOwn(this.#types, type) ? this.#types[type]?.category : null) ?? null;
  }

  /** Whether a user may choose about a type: it is declared, and not required. */
  #isChosen(type: string, channel: string): boolean {
    const declared = Object.hasOwn(this.#types, type) ? this.#types[type] : undefined;
    return declared === undefined ? Object.keys(this.#types).length === 0 : !isRequired(declared, channel);
  }

  async #signed(members: readonly unknown[]): Promise<string | null> {
    const [key] = await this.#keys;
    if (key === undefined) {
      return null;
    }
    const said = encoder.encode(JSON.stringify(members));
    const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, said));
    return `${this.#publicUrl}${UNSUBSCRIBE_PATH}${toBase64Url(said)}.${toBase64Url(signature)}`;
  }
}

/** The topics and groups, each once, the newest first. */
function marksOf(cameBy: readonly CameBy[]): readonly string[] {
  const marks = [...cameBy]
    .reverse()
    .flatMap(({ topic, group }) => [
      ...(topic === null ? [] : [placeMark({ scope: "topic", name: topic })]),
      ...(group === null ? [] : [placeMark({ scope: "group", name: group })]),
    ]);
  return [...new Set(marks)].slice(0, MAX_PLACES);
}

type SigningKey = Awaited<ReturnType<typeof signingKey>>;

const encoder = new TextEncoder();

/** The key of a secret, for these links alone: the same secret may sign other things elsewhere. */
async function signingKey(secret: string) {
  const algorithm = { name: "HMAC", hash: "SHA-256" } as const;
  return crypto.subtle.importKey("raw", encoder.encode(`belfry unsubscribe ${secret}`), algorithm, false, ["sign", "verify"]);
}

import type { BaseContext } from "../foundation/context.ts";
import { digest, sha256, toBase64Url } from "../foundation/digest.ts";

/** A ticket as it is stored: neither the ticket nor what is sealed in it can be read from this. */
export interface StoredTicket {
  /** SHA-256 of the ticket, lowercase hex. */
  readonly digest: string;
  /** The sealed text, in base64. Its key is made of the ticket. */
  readonly sealed: string;
  readonly expiresAt: Date;
}

/** The tickets part of a storage. A ticket belongs to nobody but its holder, and is found by its digest alone. */
export interface SocketTicketStorage {
  /** Adds a ticket, and removes all that ran out by `now`. */
  add(ticket: StoredTicket, now: Date): Promise<void>;
  /** Removes a ticket and returns its sealed text; null if there is none, or if it ran out by `now`. Of several calls at once, one gets it. */
  take(digest: string, now: Date): Promise<string | null>;
}

/** The credential headers of a request, by their lowercase names. */
export type CredentialHeaders = Readonly<Partial<Record<"authorization" | "x-api-key" | "cookie", string>>>;

const CREDENTIAL_HEADERS: readonly (keyof CredentialHeaders)[] = ["authorization", "x-api-key", "cookie"];

const LIFETIME_MS = 30_000;

/** The parts that tickets use. */
export interface SocketTicketsOptions extends Pick<BaseContext, "clock" | "ready"> {
  readonly storage: { readonly socketTickets: SocketTicketStorage };
}

/**
 * Tickets for opening a WebSocket, for clients that cannot send headers and should not put a credential into a URL. A
 * ticket stands for the credential of the request that asked for it, once, within 30 seconds, on any instance. The
 * credential itself is checked when the ticket is used, and again while the socket is open.
 */
export class SocketTickets {
  readonly #options: SocketTicketsOptions;

  constructor(options: SocketTicketsOptions) {
    this.#options = options;
  }

  /** Makes a ticket that stands for the credential headers among `headers`. */
  async issue(headers: Readonly<Record<string, string | undefined>>): Promise<{ readonly ticket: string; readonly lifetimeMs: number }> {
    const { clock, storage, ready } = this.#options;
    const given = CREDENTIAL_HEADERS.filter((name) => headers[name] !== undefined).map((name) => [name, headers[name]]);
    const ticket = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
    const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(given)));
    const sealed = await crypto.subtle.encrypt(SEAL, await keyOf(ticket), text);
    using _call = await ready();
    const nowMs = clock.now();
    const stored = { digest: await digest(ticket), sealed: toBase64(new Uint8Array(sealed)), expiresAt: new Date(nowMs + LIFETIME_MS) };
    await storage.socketTickets.add(stored, new Date(nowMs));
    return { ticket, lifetimeMs: LIFETIME_MS };
  }

  /** Uses a ticket up, and returns the credential headers it stands for; null if it is unknown, was used, or ran out. */
  async redeem(ticket: string): Promise<CredentialHeaders | null> {
    using _call = await this.#options.ready();
    const sealed = await this.#options.storage.socketTickets.take(await digest(ticket), new Date(this.#options.clock.now()));
    if (sealed === null) {
      return null;
    }
    const text = await crypto.subtle.decrypt(SEAL, await keyOf(ticket), fromBase64(sealed));
    return JSON.parse(new TextDecoder().decode(text)) as CredentialHeaders;
  }
}

/** Every ticket has a key of its own, which seals one text. So the initialisation vector need not differ. */
const SEAL = { name: "AES-GCM", iv: new Uint8Array(12) };

async function keyOf(ticket: string): ReturnType<typeof crypto.subtle.importKey> {
  return crypto.subtle.importKey("raw", await sha256(`seal ${ticket}`), SEAL.name, false, ["encrypt", "decrypt"]);
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

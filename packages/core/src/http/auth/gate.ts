import { BelfryError } from "../../foundation/errors.ts";
import { andThen, attempt, type MaybePromise } from "../../foundation/maybe-promise.ts";
import { clientAddress } from "../client-address.ts";
import type { HandlerSettings } from "../handler-options.ts";
import type { HttpRequest } from "../messages.ts";
import type { CredentialScheme, Principal } from "../principal.ts";
import type { Guess, RateLimits } from "../rate-limits.ts";
import type { Authenticator, PresentedCredential } from "./authenticator.ts";
import { isRefusal, type Refusal } from "./refusal.ts";

/** The credential that a request presented, with its principal. */
export interface Presented {
  /** Null when the request presents no credential; `host` when the host's own function checked it. */
  readonly scheme: CredentialScheme | "host" | null;
  /** Null when the credential is wrong, expired or missing. */
  readonly principal: Principal | null;
  /** Whether nothing but its own time ends the credential, so that nobody needs to check it again. @default false */
  readonly isFinal?: boolean;
  /** The error when the credential was not looked up because its address guessed too often. */
  readonly limited?: BelfryError;
}

interface Refused extends Pick<Presented, "scheme"> {
  readonly found: Refusal;
}

/** Of a request without a credential, or before it is looked up. */
export const NOTHING_PRESENTED: Presented = { scheme: null, principal: null };

const NO_HEADERS = {};
const NO_CREDENTIAL = { url: "", headers: NO_HEADERS };

/** What {@link Gate.lasting} keeps. */
interface Kept {
  /** @default nothing */
  readonly url?: string;
  readonly hasCredential: boolean;
}

function credentialsIn({ authorization, "x-api-key": apiKey }: HttpRequest["headers"]): HttpRequest["headers"] {
  return authorization === undefined && apiKey === undefined ? NO_HEADERS : { authorization, "x-api-key": apiKey };
}

/** As much of a request as later checks of its credential look at. Thousands of them are kept. */
class LastingRequest implements HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: HttpRequest["headers"];
  readonly remoteAddress: string | undefined;

  constructor({ method, remoteAddress }: HttpRequest, { url, headers }: Pick<HttpRequest, "url" | "headers"> = NO_CREDENTIAL) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.remoteAddress = remoteAddress;
  }

  body(): Promise<Uint8Array> {
    return nothing();
  }
}

/** A request that has no credential, and counts for no address. */
export const NOBODY: HttpRequest = { method: "GET", url: "", headers: NO_HEADERS, body: () => nothing() };

const nowhere = (): undefined => undefined;
const nothing = async (): Promise<Uint8Array> => new Uint8Array();

/** Identifies callers and slows down those who guess. Every look-up of a credential goes through here. */
export class Gate {
  readonly #settings: HandlerSettings;
  readonly #authenticator: Authenticator;
  readonly #limits: RateLimits;

  constructor(settings: HandlerSettings, authenticator: Authenticator, limits: RateLimits) {
    this.#settings = settings;
    this.#authenticator = authenticator;
    this.#limits = limits;
  }

  /** Identifies the caller by the request's headers. */
  admit(request: HttpRequest): MaybePromise<Presented> {
    const presented = this.#authenticator.presentedBy(request);
    return presented === null ? NOTHING_PRESENTED : this.#identify(presented, request);
  }

  /**
   * A request as far as later checks of its credential look at it. Its body would keep the connection's own request, and its
   * headers only concern functions of the host.
   *
   * @param kept what is left of its URL, and whether the later checks look at the credential in its headers or its URL
   */
  lasting(request: HttpRequest, { url = "", hasCredential }: Kept): HttpRequest {
    const { auth, clientAddress: named } = this.#settings;
    const isForHost = typeof auth === "function" || named !== undefined;
    if (isForHost) {
      return { ...request, headers: { ...request.headers }, origin: nowhere, body: nothing };
    }
    const lasting = hasCredential
      ? new LastingRequest(request, { url, headers: credentialsIn(request.headers) })
      : new LastingRequest(request);
    return lasting.headers === NO_HEADERS && lasting.url === "" && clientAddress(this.#settings, request) === null ? NOBODY : lasting;
  }

  /** Identifies the caller by a credential that did not come in a header. */
  check(scheme: CredentialScheme, text: string, request: HttpRequest): MaybePromise<Presented> {
    return this.#identify({ scheme, text }, request);
  }

  #identify(presented: PresentedCredential, request: HttpRequest): MaybePromise<Presented> {
    return attempt(
      () => {
        const lookUp = () => this.#lookUp(presented, request);
        return this.#limits.isAnyBlocked ? this.#limits.beforeLookUp(this.#guess(presented, request)).then(lookUp) : lookUp();
      },
      (error) => {
        if (error instanceof BelfryError && error.code === "RATE_LIMITED") {
          return { scheme: presented.scheme, principal: null, limited: error };
        }
        throw error;
      },
    );
  }

  #lookUp(presented: PresentedCredential, request: HttpRequest): MaybePromise<Presented> {
    return andThen(this.#authenticator.identify(presented, request), ({ scheme, found, isFinal = false }) => {
      if (isRefusal(found)) {
        return this.#refuse(this.#guess(presented, request), { scheme, found });
      }
      const known = { scheme, principal: found, isFinal };
      return this.#limits.isGuessed ? this.#limits.goodCredential(this.#guess(presented, request)).then(() => known) : known;
    });
  }

  #guess({ text }: PresentedCredential, request: HttpRequest): Guess {
    return { address: () => clientAddress(this.#settings, request), credential: text };
  }

  async #refuse(guess: Guess, { scheme, found }: Refused): Promise<Presented> {
    if (guess.credential === "") {
      return { scheme: scheme === "host" ? null : scheme, principal: null };
    }
    this.#settings.logger.debug({ scheme, reason: found.reason }, "Belfry refused a credential.");
    if (found.isGuess) {
      await this.#limits.badCredential(guess);
    }
    return { scheme, principal: null };
  }
}

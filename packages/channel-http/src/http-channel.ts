import { BelfryError, type Channel, type ContentMember, type DeliveryOutcome, type DeliveryTask, requireOptions } from "@belfry/core";
import { createEgress, type Egress, faultOfTimes, type HttpChannelOptions, type HttpDelivery, httpOutcome } from "@belfry/egress";
import { HTTP_CHANNEL_OPTIONS } from "./http-channel-options.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const RETRY_DELAYS_MS = [5 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR];
const DEFAULT_TIMEOUT_MS = 15 * SECOND;
/** The channel ends an attempt itself and says why. The engine's limit is this much longer, in case that fails. */
const ENGINE_MARGIN_MS = SECOND;

/** The request of one delivery. */
export interface ProviderRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Texts that no outcome may contain. */
  readonly secrets: readonly string[];
  /** A note for the sender, for example that a text was cut. */
  readonly note?: string;
}

/** The reason why a delivery can never be made. */
export interface Undeliverable {
  readonly problem: string;
}

/** Where to deliver, and what the channel was told about its surroundings. */
export interface ProviderPlace {
  /** The address of the provider's API, without a slash at its end. */
  readonly api: string;
  readonly egress: Egress;
  /** Makes a link absolute; null for one that cannot be followed from outside of the application. */
  link(url: string): string | null;
  now(): number;
}

/** One provider, as a channel has to know it. */
export interface Provider {
  /** Its name, for example `slack`. */
  readonly name: string;
  /** The address of its API. */
  readonly api: string;
  readonly contents: readonly ContentMember[];
  /** What its addresses are: see `Channel.takes`. */
  readonly takes: string;
  invalidRecipient(recipient: string, place: ProviderPlace): string | null;
  request(task: DeliveryTask, place: ProviderPlace): ProviderRequest | Undeliverable | Promise<ProviderRequest | Undeliverable>;
  readonly judge: NonNullable<HttpDelivery["judge"]>;
}

/** Names the options of a channel: the common ones, and its own. */
export function optionsOf(own: Readonly<Record<string, true>>): Readonly<Record<string, true>> {
  return { ...own, ...HTTP_CHANNEL_OPTIONS };
}

/**
 * Makes the channel of a provider. An accepted message is `sent`.
 *
 * @throws `CONFIGURATION` for a common option that cannot be used.
 */
export function httpChannel(provider: Provider, options: HttpChannelOptions): Channel {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const fault = faultOfTimes({ timeoutMs, retryDelaysMs: options.retryDelaysMs });
  requireThat(fault === null, `${provider.name}: ${fault}`);
  const place = placeOf(provider, options);
  const check = (recipient: string) => provider.invalidRecipient(recipient, place);
  return {
    name: options.name ?? provider.name,
    contents: provider.contents,
    takes: provider.takes,
    retryDelaysMs: options.retryDelaysMs ?? RETRY_DELAYS_MS,
    timeoutMs: timeoutMs + ENGINE_MARGIN_MS,
    invalidRecipient: check,
    async deliver(task, signal): Promise<DeliveryOutcome> {
      const invalid = check(task.address);
      const request = invalid === null ? await provider.request(task, place) : { problem: `the address ${invalid}` };
      if ("problem" in request) {
        return { status: "failed", provider: provider.name, transient: false, error: request.problem };
      }
      const { url, headers, body, secrets, note } = request;
      const result = await place.egress.send(url, {
        method: "POST",
        headers: { "User-Agent": "Belfry", ...headers },
        body,
        timeoutMs,
        signal,
      });
      const facts = { provider: provider.name, acceptedIs: "sent", messageId: task.id, nowMs: place.now() } as const;
      const outcome = httpOutcome(result, { ...facts, judge: provider.judge, secrets });
      return outcome.status === "failed" || note === undefined ? outcome : { ...outcome, note };
    },
  } satisfies Channel;
}

function placeOf({ name, api }: Provider, options: HttpChannelOptions): ProviderPlace {
  const { egress: given, allowPrivate = false, baseUrl, now = Date.now } = options;
  requireOptions(`${name}'s egress`, given ?? {}, { ca: true, resolve: true, connect: true });
  const egress = createEgress({ ...given, allowPrivate });
  const own = options.api ?? api;
  const refused = typeof own === "string" ? egress.checkUrl(own) : "is no URL";
  requireThat(refused === null, `${name}: api ${refused}`);
  requireThat(
    baseUrl === undefined || (typeof baseUrl === "string" && isHttp(URL.parse(baseUrl))),
    `${name}: baseUrl is no address that begins with http`,
  );
  return {
    api: own.replace(/\/+$/, ""),
    egress,
    link(url) {
      const parsed = URL.parse(url, baseUrl);
      return isHttp(parsed) ? parsed.href : null;
    },
    now,
  };
}

function isHttp(url: URL | null): url is URL {
  return url !== null && (url.protocol === "https:" || url.protocol === "http:");
}

function requireThat(holds: boolean, problem: string): void {
  if (!holds) {
    throw new BelfryError("CONFIGURATION", `${problem}.`);
  }
}

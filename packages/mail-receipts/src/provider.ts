import type { Receipt } from "@belfry/core";
import type { HttpRequest } from "@belfry/core/http";

/** A request of a provider, with its body as it was sent. */
export interface ProviderRequest extends Pick<HttpRequest, "headers"> {
  readonly bytes: Uint8Array;
}

/** What a request reports. */
export interface Reported {
  readonly receipts: readonly Receipt[];
  /** Called once everything is recorded, before the provider hears that it is. @default nothing */
  recorded?(): void;
}

/** The protocol in which a provider reports. */
export interface Provider {
  /** The last segment of its path, and who suppresses addresses by it. */
  readonly name: "ses" | "sendgrid" | "postmark" | "mailgun";
  /**
   * Reads a request, once it is known to come from the provider.
   *
   * @throws BelfryError `UNAUTHENTICATED` for one that does not; `VALIDATION_ERROR` for one that nobody can read
   */
  read(request: ProviderRequest): Promise<Reported> | Reported;
}

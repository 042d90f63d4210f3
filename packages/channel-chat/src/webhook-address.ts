import type { ProviderPlace } from "@belfry/channel-http";

/** The hosts of a provider's webhooks: each by its name, or with a dot before it for all below it. */
export type WebhookHosts = readonly string[];

/** Says why a URL is not a webhook of the provider; null if it is. Where `api` is not the provider's own, webhooks are there, too. */
export function invalidWebhook(
  url: string,
  { hosts, own, place }: { hosts: WebhookHosts; own: string; place: ProviderPlace },
): string | null {
  const refused = place.egress.checkUrl(url);
  if (refused !== null) {
    return refused;
  }
  const { host, hostname } = new URL(url);
  const isTheirs =
    place.api === own
      ? hosts.some((name) => (name.startsWith(".") ? hostname.endsWith(name) : hostname === name))
      : host === new URL(place.api).host;
  return isTheirs ? null : `is not at ${place.api === own ? hosts.join(" or ") : place.api}`;
}

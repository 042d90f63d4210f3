import { email } from "@belfry/channel-email";
import { webhook } from "@belfry/channel-webhook";
import type { Channel } from "@belfry/core";
import type { ServerConfig } from "./config.ts";

/** Postmark's reports have what such headers say, and not the `Message-ID`. */
const POSTMARK_MESSAGE_ID = "X-PM-Metadata-belfry-message-id";

/** The channels of the configured providers. Without an SMTP server, sending e-mail is refused with a clear error. A tenant's own servers stand for all others. */
export function channelsOf({
  smtpUrls,
  tenantSmtpUrls,
  emailFrom,
  emailAcceptedIs,
  mailReports,
  webhookSecret,
  webhookAllowPrivate,
  retryBaseMs,
  otherChannels,
}: ServerConfig): readonly Channel[] {
  const channels = [
    email({
      provider: (tenant) => tenantSmtpUrls.get(tenant) ?? smtpUrls,
      from: emailFrom,
      acceptedIs: emailAcceptedIs,
      ...(mailReports?.postmark !== undefined && { messageIdHeader: POSTMARK_MESSAGE_ID }),
      allowPrivateAttachments: webhookAllowPrivate,
    }),
    webhook({ secret: webhookSecret, allowPrivate: webhookAllowPrivate }),
    ...otherChannels,
  ];
  return retryBaseMs === null ? channels : channels.map((channel) => sooner(channel, retryBaseMs));
}

/** The same channel with another first delay; the later ones keep their proportions. */
function sooner(channel: Channel, firstMs: number): Channel {
  const [first = firstMs] = channel.retryDelaysMs;
  return { ...channel, retryDelaysMs: channel.retryDelaysMs.map((delayMs) => Math.round((delayMs * firstMs) / first)) };
}

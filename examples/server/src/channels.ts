import { email } from "@belfry/channel-email";
import { webhook } from "@belfry/channel-webhook";
import type { Channel, Directory } from "@belfry/core";
import type { ServerConfig } from "./config.ts";

/** The channels of the configured providers. Without an SMTP server, sending e-mail is refused with a clear error. */
export function channelsOf({
  smtpUrl,
  emailFrom,
  emailAcceptedIs,
  webhookSecret,
  webhookAllowPrivate,
  retryBaseMs,
}: ServerConfig): readonly Channel[] {
  const channels = [
    email({ transport: smtpUrl, from: emailFrom, acceptedIs: emailAcceptedIs, allowPrivateAttachments: webhookAllowPrivate }),
    webhook({ secret: webhookSecret, allowPrivate: webhookAllowPrivate }),
  ];
  return retryBaseMs === null ? channels : channels.map((channel) => sooner(channel, retryBaseMs));
}

/** Knows the addresses of the users in `USER_EMAILS`; undefined where none are given. */
export function directoryOf({ userEmails }: ServerConfig): Directory | undefined {
  if (userEmails.size === 0) {
    return undefined;
  }
  return (ids) =>
    new Map(
      ids.flatMap((id) => {
        const address = userEmails.get(id);
        return address === undefined ? [] : [[id, { email: address }]];
      }),
    );
}

/** The same channel with another first delay; the later ones keep their proportions. */
function sooner(channel: Channel, firstMs: number): Channel {
  const [first = firstMs] = channel.retryDelaysMs;
  return { ...channel, retryDelaysMs: channel.retryDelaysMs.map((delayMs) => Math.round((delayMs * firstMs) / first)) };
}

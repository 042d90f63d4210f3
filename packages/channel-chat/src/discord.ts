import {
  busyProvider,
  codeOf,
  credentialSource,
  cutText,
  goneRecipient,
  httpChannel,
  memberOf,
  optionsOf,
  refusedMessage,
  statusVerdict,
  unreadableAnswer,
} from "@belfry/channel-http";
import { type Channel, type JsonObject, requireOptions } from "@belfry/core";
import type { Credential, HttpChannelOptions, ReadAnswer, Verdict } from "@belfry/egress";
import { type ChatMessage, messageOf } from "./chat-message.ts";
import { invalidWebhook } from "./webhook-address.ts";

const PROVIDER = "Discord";
const API = "https://discord.com/api/v10";
const WEBHOOK_HOSTS = ["discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"];
/** The id of a channel. */
const ADDRESS = /^\d{15,20}$/;
const MAX_TITLE_LENGTH = 256;
/** A description takes 4,096 characters; the links of buttons stand in it, too, and an escaped character is two. */
const MESSAGE_LENGTH = 1_600;
const MAX_DESCRIPTION_LENGTH = 4_096;

/** The options of {@link discord}. */
export interface DiscordOptions extends HttpChannelOptions {
  /** The bot's token. @default none: only webhooks can be reached */
  readonly token?: Credential;
}

/** A message of Discord's: what the `body` of a type over this channel makes. */
export type DiscordMessage = {
  /** The message in Discord's Markdown, up to 2,000 characters. */
  readonly content?: string;
  readonly embeds?: readonly JsonObject[];
  readonly components?: readonly JsonObject[];
  /** Whom the message may mention. @default nobody, whatever its text says */
  readonly allowed_mentions?: { readonly parse?: readonly ("users" | "roles" | "everyone")[]; readonly users?: readonly string[] };
};

/**
 * Makes the channel that posts to Discord: to webhooks, by their URL; and with a bot's `token` to channels, by their id.
 *
 * @throws `CONFIGURATION` for an option that cannot be used.
 * @example
 * ```ts
 * const notifications = new NotificationService({ storage, channels: [discord()] });
 * ```
 */
export function discord(options: DiscordOptions = {}): Channel {
  requireOptions("discord", options, optionsOf({ token: true }));
  const token = options.token === undefined ? null : credentialSource("discord: token", options.token);
  return httpChannel(
    {
      name: "discord",
      api: API,
      contents: ["body"],
      takes: `the URLs of webhooks${token === null ? "" : ", and the ids of channels, such as 334385199974967042"}`,
      invalidRecipient(recipient, place) {
        if (recipient.includes(":")) {
          return invalidWebhook(recipient, { hosts: WEBHOOK_HOSTS, own: API, place });
        }
        const lack = ADDRESS.test(recipient) ? "needs a bot: give its token" : "is neither the URL of a webhook nor the id of a channel";
        return token !== null && ADDRESS.test(recipient) ? null : lack;
      },
      async request(task, place) {
        const rendered = messageOf(task, place, { length: MESSAGE_LENGTH, render });
        if ("problem" in rendered) {
          return rendered;
        }
        const { message, ...more } = rendered;
        const content = { allowed_mentions: { parse: [] }, ...message };
        const headers = { "Content-Type": "application/json" };
        if (token === null || task.address.includes(":")) {
          const url = new URL(task.address);
          // Discord answers when it has the message, not before.
          url.searchParams.set("wait", "true");
          return { url: url.href, headers, body: JSON.stringify(content), secrets: [task.address, url.pathname], ...more };
        }
        const bot = await token(task.tenant);
        return {
          url: `${place.api}/channels/${task.address}/messages`,
          headers: { ...headers, Authorization: `Bot ${bot}` },
          // Discord does not post a nonce twice within some minutes.
          body: JSON.stringify({ ...content, nonce: nonceOf(task.id), enforce_nonce: true }),
          secrets: [bot],
          ...more,
        };
      },
      judge,
    },
    options,
  );
}

/** A nonce has at most 25 characters: the bytes of the id fit. */
function nonceOf(id: string): string {
  return Buffer.from(id.replaceAll("-", ""), "hex").toString("base64url");
}

/** Escapes what Discord would read as Markdown. */
function escaped(text: string): string {
  return text.replaceAll(/[\\*_~`|>#[\]()-]/g, "\\$&");
}

function render({ title, message, link, buttons }: ChatMessage): JsonObject {
  const links = buttons.map(({ label, url }) => `[${escaped(label)}](<${url}>)`);
  const description = [escaped(message), links.join(" · ")].filter((part) => part !== "").join("\n\n");
  return {
    embeds: [
      {
        ...(title === "" ? {} : { title: cutText(escaped(title), MAX_TITLE_LENGTH) }),
        ...(description === "" ? {} : { description: cutText(description, MAX_DESCRIPTION_LENGTH) }),
        ...(link === null ? {} : { url: link }),
      },
    ],
  };
}

/** Unknown channel or webhook, and a webhook's token that is not its own. */
const GONE: ReadonlySet<unknown> = new Set([10_003, 10_015, 50_027]);

function judge(answer: ReadAnswer): Verdict | null {
  const { status, json } = answer;
  if (status >= 200 && status < 300) {
    return status === 204 || typeof memberOf(json, "id") === "string" ? { accepted: true } : unreadableAnswer(PROVIDER);
  }
  const code = memberOf(json, "code");
  if (GONE.has(code)) {
    return goneRecipient(PROVIDER, codeOf(code));
  }
  if (status === 429) {
    const seconds = memberOf(json, "retry_after");
    return busyProvider(PROVIDER, "rate limit", typeof seconds === "number" && seconds >= 0 ? Math.ceil(seconds * 1_000) : undefined);
  }
  return status >= 400 && status < 500 && status !== 401 && typeof code === "number"
    ? refusedMessage(PROVIDER, codeOf(code))
    : statusVerdict(PROVIDER, answer);
}

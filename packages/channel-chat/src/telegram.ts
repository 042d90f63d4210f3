import {
  busyProvider,
  codeOf,
  credentialSource,
  cutText,
  goneRecipient,
  httpChannel,
  memberOf,
  optionsOf,
  refusedCredentials,
  refusedMessage,
  statusVerdict,
  unreadableAnswer,
} from "@belfry/channel-http";
import { type Channel, type JsonObject, requireOptions } from "@belfry/core";
import type { Credential, HttpChannelOptions, ReadAnswer, Verdict } from "@belfry/egress";
import { type ChatMessage, messageOf } from "./chat-message.ts";

const PROVIDER = "Telegram";
const API = "https://api.telegram.org";
/** A chat's number, negative for groups, or the name of a public channel. */
const ADDRESS = /^(?:-?\d{1,16}|@[A-Za-z]\w{3,31})$/;
/** A text takes 4,096 characters; the title stands in it, too. */
const MAX_TEXT_LENGTH = 4_096;
const MESSAGE_LENGTH = 3_000;

/** The options of {@link telegram}. */
export interface TelegramOptions extends HttpChannelOptions {
  /** The bot's token, as BotFather gives it. */
  readonly token: Credential;
}

/** A message of Telegram's: what the `body` of a type over this channel makes, in the words of `sendMessage`. */
export type TelegramMessage = {
  readonly text: string;
  readonly parse_mode?: "HTML" | "MarkdownV2";
  readonly entities?: readonly ({ readonly type: string } & JsonObject)[];
  readonly link_preview_options?: { readonly is_disabled: boolean };
  readonly disable_notification?: boolean;
  readonly reply_markup?: { readonly inline_keyboard: readonly (readonly ({ readonly text: string } & JsonObject)[])[] };
};

/**
 * Makes the channel of a Telegram bot. Its recipients are chats, by their number, that have begun to talk with the bot or have it as
 * a member; and public channels, such as `@releases`.
 *
 * @throws `CONFIGURATION` for an option that cannot be used.
 * @example
 * ```ts
 * const notifications = new NotificationService({ storage, channels: [telegram({ token: "123456:ABC…" })] });
 * ```
 */
export function telegram(options: TelegramOptions): Channel {
  requireOptions("telegram", options, optionsOf({ token: true }));
  const token = credentialSource("telegram: token", options.token);
  return httpChannel(
    {
      name: "telegram",
      api: API,
      contents: ["body"],
      takes: "the numbers of chats, such as 123456789, and the names of channels, such as @releases",
      invalidRecipient: (recipient) => (ADDRESS.test(recipient) ? null : "is neither the number of a chat nor the @name of a channel"),
      async request(task, place) {
        const rendered = messageOf(task, place, { length: MESSAGE_LENGTH, render });
        if ("problem" in rendered) {
          return rendered;
        }
        const { message, ...more } = rendered;
        const secret = await token(task.tenant);
        return {
          url: `${place.api}/bot${encodeURIComponent(secret).replaceAll("%3A", ":")}/sendMessage`,
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ ...message, chat_id: task.address }),
          secrets: [secret],
          ...more,
        };
      },
      judge,
    },
    options,
  );
}

/** The text is plain: only the title is marked, by its place. */
function render({ title, message, link, buttons }: ChatMessage): JsonObject {
  const head = cutText(title === "" ? (link ?? "") : title, MAX_TEXT_LENGTH - MESSAGE_LENGTH - 1);
  const place = { offset: 0, length: head.length };
  return {
    text: [head, message].filter((line) => line !== "").join("\n"),
    ...(head !== "" && {
      entities: [{ type: "bold", ...place }, ...(link === null ? [] : [{ type: "text_link", url: link, ...place }])],
    }),
    link_preview_options: { is_disabled: true },
    ...(buttons.length > 0 && { reply_markup: { inline_keyboard: buttons.map(({ label, url }) => [{ text: label, url }]) } }),
  };
}

function judge(answer: ReadAnswer): Verdict | null {
  const { status, json } = answer;
  const ok = memberOf(json, "ok");
  if (ok === true) {
    return { accepted: true };
  }
  if (status < 300) {
    return unreadableAnswer(PROVIDER);
  }
  if (ok !== false) {
    return statusVerdict(PROVIDER, answer);
  }
  const seconds = memberOf(memberOf(json, "parameters"), "retry_after");
  if (status === 429) {
    return busyProvider(PROVIDER, "rate limit", typeof seconds === "number" && seconds >= 0 ? seconds * 1_000 : undefined);
  }
  // It does not know a bot by this token, and its path neither.
  if (status === 401 || status === 404) {
    return refusedCredentials(PROVIDER, String(status));
  }
  // The user blocked the bot or is no more, or the group put it out.
  return status === 403 ? goneRecipient(PROVIDER, "403") : status < 500 ? refusedMessage(PROVIDER, codeOf(status)) : null;
}

import {
  busyProvider,
  codeOf,
  credentialSource,
  httpChannel,
  memberOf,
  optionsOf,
  refusedCredentials,
  refusedMessage,
  requireText,
  statusVerdict,
  unreadableAnswer,
} from "@belfry/channel-http";
import { type Channel, type JsonObject, requireOptions } from "@belfry/core";
import type { Credential, HttpChannelOptions, ReadAnswer, Verdict } from "@belfry/egress";
import { type ChatMessage, messageOf } from "./chat-message.ts";

const PROVIDER = "WhatsApp";
const API = "https://graph.facebook.com/v25.0";
/** A number in the international format. */
const ADDRESS = /^\+?[1-9]\d{6,14}$/;
/** A text takes 4,096 characters; title and links stand in it, too. */
const MESSAGE_LENGTH = 2_500;
const MAX_TEXT_LENGTH = 4_096;

/** The options of {@link whatsapp}. */
export interface WhatsappOptions extends HttpChannelOptions {
  /** The access token of a system user. */
  readonly token: Credential;
  /** The id of the phone number that sends; not the number itself. */
  readonly phoneNumberId: string;
}

/** A message of the WhatsApp Cloud API: what the `body` of a type over this channel makes. */
export type WhatsappMessage =
  | { readonly type: "text"; readonly text: { readonly body: string; readonly preview_url?: boolean } }
  | {
      readonly type: "template";
      readonly template: {
        readonly name: string;
        readonly language: { readonly code: string };
        readonly components?: readonly ({ readonly type: string } & JsonObject)[];
      };
    };

/**
 * Makes the channel that sends over the WhatsApp Cloud API, to phone numbers such as `+4930123456`. Texts reach only people who wrote
 * within the last 24 hours; to reach others, declare an approved template as the `body` of the type.
 *
 * @throws `CONFIGURATION` for an option that cannot be used.
 * @example
 * ```ts
 * const notifications = new NotificationService({ storage, channels: [whatsapp({ token, phoneNumberId: "106540352242922" })] });
 * ```
 */
export function whatsapp(options: WhatsappOptions): Channel {
  requireOptions("whatsapp", options, optionsOf({ token: true, phoneNumberId: true }));
  const token = credentialSource("whatsapp: token", options.token);
  const phoneNumberId = requireText("whatsapp: phoneNumberId", options.phoneNumberId, {
    form: /^\d{1,30}$/,
    remedy: "the id that Meta shows beside the phone number",
  });
  return httpChannel(
    {
      name: "whatsapp",
      api: API,
      contents: ["body"],
      takes: "phone numbers with their country code, such as +4930123456",
      invalidRecipient: (recipient) => (ADDRESS.test(recipient) ? null : "is no phone number with its country code"),
      async request(task, place) {
        const rendered = messageOf(task, place, { length: MESSAGE_LENGTH, render });
        if ("problem" in rendered) {
          return rendered;
        }
        const { message, ...more } = rendered;
        const bearer = await token(task.tenant);
        const envelope = {
          ...{ messaging_product: "whatsapp", recipient_type: "individual", to: task.address },
          biz_opaque_callback_data: task.id,
        };
        return {
          url: `${place.api}/${phoneNumberId}/messages`,
          headers: { "Content-Type": "application/json", Authorization: `Bearer ${bearer}` },
          body: JSON.stringify({ ...message, ...envelope }),
          secrets: [bearer],
          ...more,
        };
      },
      judge,
    },
    options,
  );
}

function render({ title, message, link, buttons }: ChatMessage): JsonObject {
  const links = [...(link === null ? [] : [link]), ...buttons.map(({ label, url }) => `${label}: ${url}`)];
  const lines = [title === "" ? "" : `*${title}*`, message, ...links].filter((line) => line !== "");
  // A link that does not fit whole is of no use.
  while (lines.length > 1 && lines.join("\n").length > MAX_TEXT_LENGTH) {
    lines.pop();
  }
  return { type: "text", text: { preview_url: false, body: lines.join("\n") } };
}

const CREDENTIALS: ReadonlySet<number> = new Set([0, 3, 10, 190]);
/** Limits, and troubles of Meta's own. */
const BUSY: ReadonlySet<number> = new Set([1, 2, 4, 80_007, 130_429, 131_000, 131_016, 131_048, 131_056, 131_057, 133_004]);

function judge(answer: ReadAnswer): Verdict | null {
  const { status, json } = answer;
  if (status >= 200 && status < 300) {
    return Array.isArray(memberOf(json, "messages")) ? { accepted: true } : unreadableAnswer(PROVIDER);
  }
  const code = memberOf(memberOf(json, "error"), "code");
  if (typeof code !== "number" || status >= 500) {
    return statusVerdict(PROVIDER, answer);
  }
  if (CREDENTIALS.has(code) || (code >= 200 && code < 300)) {
    return refusedCredentials(PROVIDER, codeOf(code));
  }
  return BUSY.has(code) || status === 429 ? busyProvider(PROVIDER, codeOf(code)) : refusedMessage(PROVIDER, codeOf(code));
}

import { busyProvider, goneRecipient, httpChannel, optionsOf, refusedMessage, statusVerdict, unreadableAnswer } from "@belfry/channel-http";
import { type Channel, type JsonObject, requireOptions } from "@belfry/core";
import type { HttpChannelOptions, ReadAnswer, Verdict } from "@belfry/egress";
import { type ChatMessage, messageOf } from "./chat-message.ts";
import { invalidWebhook } from "./webhook-address.ts";

const PROVIDER = "Teams";
const API = "https://teams.microsoft.com";
/** Where workflows, and the connectors before them, take messages. */
const WEBHOOK_HOSTS = [".api.powerplatform.com", ".logic.azure.com", ".webhook.office.com"];
/** Teams takes up to 28 KB. */
const MESSAGE_LENGTH = 5_000;

/** The options of {@link teams}. */
export interface TeamsOptions extends HttpChannelOptions {}

/** An Adaptive Card: what the `body` of a type over this channel makes. */
export type TeamsCard = {
  readonly type: "AdaptiveCard";
  readonly version: string;
  readonly body: readonly ({ readonly type: string } & JsonObject)[];
  readonly actions?: readonly ({ readonly type: string } & JsonObject)[];
};

/**
 * Makes the channel that posts to Microsoft Teams: to the URL of a workflow that begins with "When a Teams webhook request is
 * received", as an Adaptive Card.
 *
 * @throws `CONFIGURATION` for an option that cannot be used.
 * @example
 * ```ts
 * const notifications = new NotificationService({ storage, channels: [teams()] });
 * ```
 */
export function teams(options: TeamsOptions = {}): Channel {
  requireOptions("teams", options, optionsOf({}));
  return httpChannel(
    {
      name: "teams",
      api: API,
      contents: ["body"],
      takes: "the URLs of workflows that begin with a webhook request",
      invalidRecipient: (recipient, place) => invalidWebhook(recipient, { hosts: WEBHOOK_HOSTS, own: API, place }),
      request(task, place) {
        const rendered = messageOf(task, place, { length: MESSAGE_LENGTH, render });
        if ("problem" in rendered) {
          return rendered;
        }
        const { message: content, ...more } = rendered;
        const attachment = { contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content };
        const body = JSON.stringify({ type: "message", attachments: [attachment] });
        return { url: task.address, headers: { "Content-Type": "application/json" }, body, secrets: secretsOf(task.address), ...more };
      },
      judge,
    },
    options,
  );
}

/** Whoever has the address may post: its path and its signature are what makes it one. */
function secretsOf(address: string): readonly string[] {
  const { pathname, searchParams } = new URL(address);
  return [address, pathname, searchParams.get("sig") ?? ""].filter((secret) => secret.length > 1);
}

/** Runs of text have no Markdown. */
function paragraph(text: string, style: JsonObject = {}): { readonly type: string } & JsonObject {
  return { type: "RichTextBlock", inlines: [{ type: "TextRun", text, ...style }] };
}

function render({ title, message, link, buttons }: ChatMessage): TeamsCard & JsonObject {
  const open = link === null ? {} : { selectAction: { type: "Action.OpenUrl", url: link } };
  return {
    type: "AdaptiveCard",
    version: "1.4",
    body: [
      ...(title === "" ? [] : [paragraph(title, { weight: "bolder", size: "medium", ...open })]),
      ...(message === "" ? [] : [paragraph(message, title === "" ? open : {})]),
    ],
    ...(buttons.length > 0 && { actions: buttons.map(({ label, url }) => ({ type: "Action.OpenUrl", title: label, url })) }),
  };
}

/** Connectors answered 200 also to what they could not post, with the status of Teams in a sentence. */
const FAILED_INSIDE = /HTTP error (\d{3})/;

function judge(answer: ReadAnswer): Verdict | null {
  const [, inside] = answer.status === 200 ? (FAILED_INSIDE.exec(answer.text) ?? []) : [];
  if (inside !== undefined) {
    return inside === "429" || inside.startsWith("5") ? busyProvider(PROVIDER, inside) : refusedMessage(PROVIDER, inside);
  }
  if (answer.status === 404) {
    return goneRecipient(PROVIDER, "404");
  }
  // A workflow takes a message with 202, a connector with this word. A page of something between is neither.
  if (answer.status >= 200 && answer.status < 300) {
    return answer.status === 202 || answer.text.trim() === "1" ? { accepted: true } : unreadableAnswer(PROVIDER);
  }
  // The credential is in the address: one that is refused is the address of nothing.
  return answer.status === 401 ? refusedMessage(PROVIDER, "401") : statusVerdict(PROVIDER, answer);
}

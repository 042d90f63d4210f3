import {
  busyProvider,
  codeOf,
  credentialSource,
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
import { invalidWebhook } from "./webhook-address.ts";

const PROVIDER = "Slack";
const API = "https://slack.com/api";
const WEBHOOK_HOSTS = ["hooks.slack.com", "hooks.slack-gov.com"];
/** The id of a channel, a conversation or a user. */
const ADDRESS = /^[CDGUW][A-Z0-9]{2,30}$/;
/** A section takes 3,000 characters, and an escaped one is up to five. */
const SECTION_LENGTH = 600;
const MAX_LABEL_LENGTH = 75;

/** The options of {@link slack}. */
export interface SlackOptions extends HttpChannelOptions {
  /** The bot's token, `xoxb-…`. It needs the scope `chat:write`. @default none: only incoming webhooks can be reached */
  readonly token?: Credential;
}

/** A message of Slack's: what the `body` of a type over this channel makes. */
export type SlackMessage = {
  /** The message in Slack's mrkdwn; beside `blocks`, what a phone's notification shows. */
  readonly text?: string;
  /** The message in Block Kit. */
  readonly blocks?: readonly ({ readonly type: string } & JsonObject)[];
  /** The message to whose thread it belongs. */
  readonly thread_ts?: string;
  readonly unfurl_links?: boolean;
  readonly unfurl_media?: boolean;
};

/**
 * Makes the channel that posts to Slack: to incoming webhooks, by their URL; and with a bot's `token` to channels and users, by their
 * id, such as `C024BE91L`.
 *
 * @throws `CONFIGURATION` for an option that cannot be used.
 * @example
 * ```ts
 * const notifications = new NotificationService({ storage, channels: [slack({ token: "xoxb-…" })] });
 * ```
 */
export function slack(options: SlackOptions = {}): Channel {
  requireOptions("slack", options, optionsOf({ token: true }));
  const token = options.token === undefined ? null : credentialSource("slack: token", options.token);
  return httpChannel(
    {
      name: "slack",
      api: API,
      contents: ["body"],
      takes: `the URLs of incoming webhooks${token === null ? "" : ", and the ids of channels and users, such as C024BE91L"}`,
      invalidRecipient(recipient, place) {
        if (recipient.includes(":")) {
          return invalidWebhook(recipient, { hosts: WEBHOOK_HOSTS, own: API, place });
        }
        const lack = ADDRESS.test(recipient)
          ? "needs a bot: give its token"
          : "is neither the URL of a webhook nor the id of a channel or user";
        return token !== null && ADDRESS.test(recipient) ? null : lack;
      },
      async request(task, place) {
        const rendered = messageOf(task, place, { length: 4 * SECTION_LENGTH, render });
        if ("problem" in rendered) {
          return rendered;
        }
        const { message, ...more } = rendered;
        const headers = { "Content-Type": "application/json; charset=utf-8" };
        if (token === null || task.address.includes(":")) {
          return { url: task.address, headers, body: JSON.stringify(message), secrets: [task.address], ...more };
        }
        const bearer = await token(task.tenant);
        return {
          url: `${place.api}/chat.postMessage`,
          headers: { ...headers, Authorization: `Bearer ${bearer}` },
          body: JSON.stringify({ ...message, channel: task.address }),
          secrets: [bearer],
          ...more,
        };
      },
      judge,
    },
    options,
  );
}

/** Escapes what Slack would read as a mention, a link or an entity. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function render({ title, message, link, buttons }: ChatMessage): JsonObject {
  const linked = link === null ? "" : `<${escaped(link).replaceAll("|", "%7C")}|${escaped(title === "" ? link : title)}>`;
  const head = linked === "" ? escaped(title) : linked;
  const sections = message.match(new RegExp(`[^]{1,${SECTION_LENGTH}}`, "gu")) ?? [];
  return {
    text: [head, escaped(message)].filter((line) => line !== "").join("\n"),
    blocks: [
      ...(head === "" ? [] : [{ type: "section", text: { type: "mrkdwn", text: `*${head}*` } }]),
      ...sections.map((text) => ({ type: "section", text: { type: "plain_text", text } })),
      ...(buttons.length === 0 ? [] : [{ type: "actions", elements: buttons.map(buttonOf) }]),
    ],
  };
}

function buttonOf({ label, url }: ChatMessage["buttons"][number]): JsonObject {
  return { type: "button", text: { type: "plain_text", text: label.slice(0, MAX_LABEL_LENGTH) }, url };
}

/** Slack's words for credentials that are wrong, have ended, or may not do this. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  ...["invalid_auth", "not_authed", "account_inactive", "token_expired", "token_revoked", "missing_scope"],
  ...["no_permission", "not_allowed_token_type", "org_login_required", "ekm_access_denied", "access_denied"],
]);
const BUSY: ReadonlySet<string> = new Set([
  ...["ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"],
  ...["team_added_to_org", "accesslimited", "rollup_error"],
]);
const GONE: ReadonlySet<string> = new Set([
  "is_archived",
  "channel_is_archived",
  "no_service",
  "no_service_id",
  "no_team",
  "no_active_hooks",
]);

/** Slack answers 200 also to what it refuses; incoming webhooks answer with a word. */
function judge(answer: ReadAnswer): Verdict | null {
  const ok = memberOf(answer.json, "ok");
  if (ok === true || (answer.status === 200 && answer.text === "ok")) {
    return { accepted: true };
  }
  const reason = codeOf(memberOf(answer.json, "error") ?? answer.text.trim());
  if (GONE.has(reason)) {
    return goneRecipient(PROVIDER, reason);
  }
  if (CREDENTIALS.has(reason)) {
    return refusedCredentials(PROVIDER, reason);
  }
  if (BUSY.has(reason)) {
    return busyProvider(PROVIDER, reason);
  }
  if (ok === false) {
    return refusedMessage(PROVIDER, reason);
  }
  return answer.status < 300 ? unreadableAnswer(PROVIDER) : statusVerdict(PROVIDER, answer);
}

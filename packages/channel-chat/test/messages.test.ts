import type { Channel, DeliveryTask } from "@belfry/core";
import { type ProviderName, type ProviderServer, providerServer } from "@belfry/testkit/host";
import { afterEach, describe, expect, it } from "vitest";
import { discord, slack, teams, telegram, whatsapp } from "../src/index.ts";

const servers: ProviderServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

const TASK: DeliveryTask = {
  ...{ id: "0193c5a0-0000-7000-8000-000000000001", notificationId: "0193c5a0-0000-7000-8000-000000000002", tenant: "acme" },
  ...{ recipient: "", address: "", locale: "en", roomId: null, digest: null, type: "note", priority: "normal", data: {} },
  ...{ title: "Build <1284> *failed*", message: "@everyone <!channel> see & mend_it", url: "/builds/1284?a=1&b=2" },
  ...{ contents: null, unsubscribeUrl: null, group: null, unread: null },
  ...{ isFallback: false, attempt: 1, createdAt: new Date("2026-01-01T12:00:00Z") },
  actions: [
    { label: "Retry", url: "https://ci.example.com/retry" },
    { label: "Here", url: "/builds" },
  ],
};
const token = "a-token";
const baseUrl = "https://app.example.com";

/** What a server got from a channel, with the outcome. */
async function sent(name: ProviderName, make: (server: ProviderServer) => Channel, task: Partial<DeliveryTask>) {
  const server = await providerServer(name);
  servers.push(server);
  const delivering = { ...TASK, ...task, address: task.address === "webhook" ? server.webhook : (task.address ?? "") };
  const outcome = await make(server).deliver(delivering, new AbortController().signal);
  return { outcome, request: server.received[0], body: server.received[0]?.body };
}

const at = ({ url: api }: ProviderServer) => ({ api, allowPrivate: true, baseUrl });

describe("what a message looks like", () => {
  it("Slack: escaped mrkdwn, plain sections and buttons", async () => {
    const { request, body } = await sent("slack", (server) => slack({ ...at(server), token }), { address: "C024BE91L" });
    expect(request).toMatchObject({ path: "/chat.postMessage", to: "C024BE91L", headers: { authorization: "Bearer a-token" } });
    expect(body).toEqual({
      channel: "C024BE91L",
      text: "<https://app.example.com/builds/1284?a=1&amp;b=2|Build &lt;1284&gt; *failed*>\n@everyone &lt;!channel&gt; see &amp; mend_it",
      blocks: [
        {
          type: "section",
          text: { type: "mrkdwn", text: "*<https://app.example.com/builds/1284?a=1&amp;b=2|Build &lt;1284&gt; *failed*>*" },
        },
        { type: "section", text: { type: "plain_text", text: "@everyone <!channel> see & mend_it" } },
        {
          type: "actions",
          elements: [
            { type: "button", text: { type: "plain_text", text: "Retry" }, url: "https://ci.example.com/retry" },
            { type: "button", text: { type: "plain_text", text: "Here" }, url: "https://app.example.com/builds" },
          ],
        },
      ],
    });
  });

  it("Discord: escaped Markdown that mentions nobody, once by its nonce", async () => {
    const { request, body } = await sent("discord", (server) => discord({ ...at(server), token }), { address: "334385199974967042" });
    expect(request).toMatchObject({ path: "/channels/334385199974967042/messages", headers: { authorization: "Bot a-token" } });
    expect(body).toEqual({
      allowed_mentions: { parse: [] },
      nonce: "AZPFoAAAcACAAAAAAAAAAQ",
      enforce_nonce: true,
      embeds: [
        {
          title: "Build <1284\\> \\*failed\\*",
          url: "https://app.example.com/builds/1284?a=1&b=2",
          description:
            "@everyone <!channel\\> see & mend\\_it\n\n[Retry](<https://ci.example.com/retry>) · [Here](<https://app.example.com/builds>)",
        },
      ],
    });
    const hook = await sent("discord", (server) => discord(at(server)), { address: "webhook" });
    expect([hook.request?.path, hook.body?.allowed_mentions, hook.body?.nonce]).toEqual([
      "/webhooks/T00000000/B00000000/xyz?wait=true",
      { parse: [] },
      undefined,
    ]);
  });

  it("Teams: a card of plain text", async () => {
    const { body } = await sent("teams", (server) => teams(at(server)), { address: "webhook", url: null, actions: null });
    expect(body).toEqual({
      type: "message",
      attachments: [
        {
          contentType: "application/vnd.microsoft.card.adaptive",
          contentUrl: null,
          content: {
            type: "AdaptiveCard",
            version: "1.4",
            body: [
              { type: "RichTextBlock", inlines: [{ type: "TextRun", text: TASK.title, weight: "bolder", size: "medium" }] },
              { type: "RichTextBlock", inlines: [{ type: "TextRun", text: TASK.message }] },
            ],
          },
        },
      ],
    });
  });

  it("Telegram: plain text, whose title is marked by its place", async () => {
    const { request, body } = await sent("telegram", (server) => telegram({ ...at(server), token: "1:a" }), { address: "-100123" });
    expect(request?.path).toBe("/bot1:a/sendMessage");
    expect(body).toEqual({
      chat_id: "-100123",
      text: `${TASK.title}\n${TASK.message}`,
      entities: [
        { type: "bold", offset: 0, length: 21 },
        { type: "text_link", url: "https://app.example.com/builds/1284?a=1&b=2", offset: 0, length: 21 },
      ],
      link_preview_options: { is_disabled: true },
      reply_markup: {
        inline_keyboard: [
          [{ text: "Retry", url: "https://ci.example.com/retry" }],
          [{ text: "Here", url: "https://app.example.com/builds" }],
        ],
      },
    });
  });

  it("WhatsApp: a text with its links, or the template of the type", async () => {
    const channel = (server: ProviderServer) => whatsapp({ ...at(server), token, phoneNumberId: "1065" });
    const { request, body } = await sent("whatsapp", channel, { address: "+4930123456", actions: null });
    expect(request?.path).toBe("/1065/messages");
    const envelope = {
      ...{ messaging_product: "whatsapp", recipient_type: "individual", to: "+4930123456" },
      biz_opaque_callback_data: TASK.id,
    };
    const text = `*${TASK.title}*\n${TASK.message}\nhttps://app.example.com/builds/1284?a=1&b=2`;
    expect(body).toEqual({ ...envelope, type: "text", text: { preview_url: false, body: text } });
    const template = { type: "template", template: { name: "build_failed", language: { code: "de" } }, to: "+666" };
    const templated = await sent("whatsapp", channel, { address: "+4930123456", contents: { body: template } });
    expect(templated.body).toEqual({ ...template, ...envelope });
  });

  it("leaves relative links out where it does not know the application's address", async () => {
    const { body } = await sent("telegram", ({ url }) => telegram({ token, api: url, allowPrivate: true }), { address: "7" });
    expect(body).toMatchObject({ entities: [{ type: "bold" }], reply_markup: { inline_keyboard: [[{ text: "Retry" }]] } });
  });
});

describe("a message", () => {
  it("that is too long is cut, with a note", async () => {
    const long = { message: "🎐".repeat(5_000), title: "T", actions: null };
    const outcomes = [
      await sent("slack", (server) => slack(at(server)), { ...long, address: "webhook" }),
      await sent("discord", (server) => discord(at(server)), { ...long, address: "webhook" }),
      await sent("teams", (server) => teams(at(server)), { ...long, address: "webhook" }),
      await sent("telegram", (server) => telegram({ ...at(server), token }), { ...long, address: "7" }),
      await sent("whatsapp", (server) => whatsapp({ ...at(server), token, phoneNumberId: "1" }), { ...long, address: "+4930123456" }),
    ];
    for (const { outcome, body } of outcomes) {
      expect(outcome).toMatchObject({ status: "sent", note: expect.stringMatching(/^the message was cut to \d+ characters$/) });
      expect(JSON.stringify(body)).not.toContain("\\ud83c");
    }
  });

  it("takes the token of its tenant, anew for every attempt", async () => {
    const tokens = ["old", "new"];
    const channel = (server: ProviderServer) => slack({ ...at(server), token: async (tenant) => `${tenant}-${tokens.shift()}` });
    const first = await sent("slack", channel, { address: "C024BE91L" });
    const second = await sent("slack", channel, { address: "C024BE91L", tenant: "other" });
    expect([first, second].map(({ request }) => request?.headers.authorization)).toEqual(["Bearer acme-old", "Bearer other-new"]);
  });

  it("goes to no other host than the provider's", () => {
    for (const url of ["https://evil.example.com/services/T/B/x", "https://hooks.slack.com.evil.example.com/x", "https://127.0.0.1/x"]) {
      expect(slack().invalidRecipient(url)).toEqual(expect.any(String));
    }
    expect(slack().invalidRecipient("https://hooks.slack.com/services/T/B/x")).toBeNull();
    expect(discord().invalidRecipient("https://discord.com/api/webhooks/1/x")).toBeNull();
    expect(teams().invalidRecipient("https://prod-1.westeurope.logic.azure.com/workflows/x?sig=y")).toBeNull();
    expect(teams().invalidRecipient("https://logic.azure.com.evil.example.com/")).toEqual(expect.any(String));
  });
});

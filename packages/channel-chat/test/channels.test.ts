import { providerSuite } from "@belfry/testkit";
import { type ProviderServer, providerServer } from "@belfry/testkit/host";
import { discord, slack, teams, telegram, whatsapp } from "../src/index.ts";

const token = "xoxb-a-secret-of-the-host";
/** Whoever has the address of a webhook may post: a part of it that no outcome may contain. */
const ofWebhook = ["B00000000/xyz"];
const invalid = [
  "ann",
  "ann@example.com",
  "ftp://example.com/",
  "javascript:alert(1)",
  "https://evil.example.com/hook",
  "http://127.0.0.1:1/x",
];
const webhook = (server: ProviderServer) => server.webhook;

providerSuite("slack", {
  start: () => providerServer("slack"),
  channel: ({ url }, timeoutMs) => slack({ token, api: url, allowPrivate: true, timeoutMs }),
  recipient: () => "C024BE91L",
  invalidRecipients: [...invalid, "#general", "C"],
  secrets: [token],
});

providerSuite("slack", {
  start: () => providerServer("slack"),
  channel: ({ url }, timeoutMs) => slack({ api: url, allowPrivate: true, timeoutMs }),
  recipient: webhook,
  invalidRecipients: [...invalid, "C024BE91L"],
  secrets: ofWebhook,
});

providerSuite("discord", {
  start: () => providerServer("discord"),
  channel: ({ url }, timeoutMs) => discord({ token, api: url, allowPrivate: true, timeoutMs }),
  recipient: () => "334385199974967042",
  invalidRecipients: [...invalid, "7", "334385199974967042/../x"],
  secrets: [token],
});

providerSuite("discord", {
  start: () => providerServer("discord"),
  channel: ({ url }, timeoutMs) => discord({ api: url, allowPrivate: true, timeoutMs }),
  recipient: webhook,
  invalidRecipients: [...invalid, "334385199974967042"],
  secrets: ofWebhook,
});

providerSuite("teams", {
  start: () => providerServer("teams"),
  channel: ({ url }, timeoutMs) => teams({ api: url, allowPrivate: true, timeoutMs }),
  recipient: webhook,
  invalidRecipients: invalid,
  secrets: ofWebhook,
  // The credential is in the address.
  outcomes: { unauthorized: { status: "failed", transient: false } },
});

providerSuite("telegram", {
  start: () => providerServer("telegram"),
  channel: ({ url }, timeoutMs) => telegram({ token, api: url, allowPrivate: true, timeoutMs }),
  recipient: () => "-1001234567890",
  invalidRecipients: [...invalid, "@", "@a b", "1e9"],
  secrets: [token],
});

providerSuite("whatsapp", {
  start: () => providerServer("whatsapp"),
  channel: ({ url }, timeoutMs) => whatsapp({ token, phoneNumberId: "106540352242922", api: url, allowPrivate: true, timeoutMs }),
  recipient: () => "+4930123456",
  invalidRecipients: [...invalid, "030123456", "+49 30 123456"],
  secrets: [token],
  outcomes: { gone: { status: "failed", transient: false } },
});

import { describe, expect, test } from "vitest";
import { createHandler } from "../packages/core/src/http/index.ts";
import { HOSTILE } from "../packages/testkit/src/storage-suite/service/hostile-arguments.ts";

const express = await import("../packages/adapter-express/src/index.ts");
const hono = await import("../packages/adapter-hono/src/index.ts");
const chats = await import("../packages/channel-chat/src/index.ts");
const emailChannel = await import("../packages/channel-email/src/index.ts");
const pushChannel = await import("../packages/channel-push/src/index.ts");
const texts = await import("../packages/channel-sms/src/index.ts");
const webhookChannel = await import("../packages/channel-webhook/src/index.ts");
const contracts = await import("../packages/core/src/contracts/index.ts");
const core = await import("../packages/core/src/index.ts");
const dashboards = await import("../packages/dashboard/src/index.ts");
const egress = await import("../packages/egress/src/index.ts");
const mails = await import("../packages/mail-receipts/src/index.ts");
const openais = await import("../packages/processor-openai/src/index.ts");
const prometheuses = await import("../packages/telemetry/src/prometheus.ts");
const postgres = await import("../packages/storage-postgres/src/index.ts");
const sqlite = await import("../packages/storage-sqlite/src/index.ts");
const telemetry = await import("../packages/telemetry/src/index.ts");
const bullmqWorkers = await import("../packages/worker-bullmq/src/index.ts");
const redises = await import("../packages/transport-redis/src/index.ts");

const { NotificationService } = core;
const storage = sqlite.sqliteStorage(":memory:");
const service = new NotificationService({ storage });
const SECRET = "whsec_b25seSBmb3IgdHJ5aW5nIGl0IG91dCwgMzIgYnl0ZXM=";
const handlerOptions = { contracts: [contracts.pack({ auth: "open" })] };

type Call = readonly [call: (...args: never[]) => unknown, ...good: unknown[]];

/** Every function that configures something, with good arguments. One that is left out fails the test below. */
const CALLS: Readonly<Record<string, Call>> = {
  NotificationService: [(options: never) => new NotificationService(options), { storage }],
  defineTypes: [core.defineTypes, { note: { label: "Note" } }],
  typeLabel: [core.typeLabel, { note: {} }, "note"],
  uuidV7: [core.uuidV7, core.systemClock],
  isUuid: [core.isUuid, "x"],
  memoryTransport: [core.memoryTransport],
  createHandler: [createHandler, service, handlerOptions],
  expressBelfry: [express.expressBelfry, service, handlerOptions],
  honoBelfry: [hono.honoBelfry, service, handlerOptions],
  pack: [contracts.pack, { window: 10 }],
  native: [contracts.native, { topics: () => true }],
  nativeKeys: [contracts.nativeKeys],
  hub: [contracts.hub, { lists: "arrays" }],
  inboxV1: [contracts.inboxV1],
  deliveryV1: [contracts.deliveryV1],
  django: [contracts.django, { links: "absolute" }],
  dashboard: [dashboards.dashboard, service, { basePath: "/x" }],
  email: [emailChannel.email, { from: "shop@example.com" }],
  recordBounceMail: [
    emailChannel.recordBounceMail,
    new Uint8Array(),
    { receipts: service.receipts, bounces: { address: "b@example.com", secret: "s".repeat(32) }, recipient: "b@example.com" },
  ],
  mailReceipts: [mails.mailReceipts, { mailgun: { signingKey: "k" } }],
  openTelemetryMetrics: [telemetry.openTelemetryMetrics, service, { refreshMs: 5_000 }],
  openTelemetryTracing: [telemetry.openTelemetryTracing, { ratio: 0.5 }],
  redisTransport: [redises.redisTransport, "redis://localhost", { prefix: "x" }],
  prometheus: [prometheuses.prometheus, service, { token: "a long enough token" }],
  bullmqWorker: [bullmqWorkers.bullmqWorker, { connection: "redis://localhost" }],
  push: [pushChannel.push, { expo: {}, timeoutMs: 1_000 }],
  webhook: [webhookChannel.webhook, { secret: SECRET }],
  slack: [chats.slack, { token: "t" }],
  discord: [chats.discord, { token: "t" }],
  teams: [chats.teams, {}],
  telegram: [chats.telegram, { token: "t" }],
  whatsapp: [chats.whatsapp, { token: "t", phoneNumberId: "1" }],
  twilio: [texts.twilio, { accountSid: `AC${"0".repeat(32)}`, authToken: "t", from: "Shop" }],
  vonage: [texts.vonage, { apiKey: "k", apiSecret: "s", from: "Shop" }],
  sns: [texts.sns, { region: "eu-central-1", credentials: { accessKeyId: "a", secretAccessKey: "s" } }],
  smsSegments: [texts.smsSegments, "Hello"],
  twilioStatus: [texts.twilioStatus, { authToken: "t", statusUrl: "https://example.com/", url: "/", headers: {}, body: "" }],
  vonageStatus: [texts.vonageStatus, { signatureSecret: "s", url: "/", headers: {}, body: "" }],
  verifyWebhook: [webhookChannel.verifyWebhook, { secret: SECRET, headers: {}, body: "" }],
  createEgress: [egress.createEgress, { allowPrivate: true }],
  openai: [openais.openai, { model: "m" }],
  sqliteStorage: [sqlite.sqliteStorage, ":memory:", { migrate: true }],
  postgresTransport: [postgres.postgresTransport, "postgres://localhost/x", { schema: "x" }],
  postgresStorage: [postgres.postgresStorage, "postgres://localhost/x", { migrate: true }],
};

/** For authors of channels and contracts, who call them from TypeScript, or with what Belfry itself hands them. `migrate`, `partition` and the moves of tenants have tests of their own. */
const FOR_AUTHORS = [
  "BelfryError",
  "classifyAddress",
  "deviceAddress",
  "djangoItem",
  "PostgresStorage",
  "SqliteStorage",
  "fastapiError",
  "fastapiFailure",
  "faultOfTimes",
  "httpOutcome",
  "invalidWebhookHeaders",
  "isLocalRequest",
  "isoDate",
  "isoDateOrNull",
  "keptExchange",
  "localOnly",
  "abandonMove",
  "migrate",
  "moveTenant",
  "partition",
  "parseDeviceAddress",
  "parseMessage",
  "requireOptions",
  "retryAfter",
  "validationError",
];

function failureOf([call]: Call, args: readonly unknown[]): unknown {
  try {
    (call as (...given: readonly unknown[]) => unknown)(...args);
    return null;
  } catch (error) {
    return error;
  }
}

const isOptions = (value: unknown): value is object =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** egress stands alone, without Belfry's errors. */
const inWords = (name: string, failure: unknown) =>
  failure instanceof core.BelfryError || (name === "createEgress" && failure instanceof Error && failure.constructor === Error);

test("every function of the packages is in the table", () => {
  const modules = [
    core,
    contracts,
    express,
    hono,
    emailChannel,
    pushChannel,
    chats,
    texts,
    webhookChannel,
    dashboards,
    egress,
    mails,
    openais,
    postgres,
    prometheuses,
    redises,
    sqlite,
    telemetry,
    bullmqWorkers,
  ];
  const functions = modules.flatMap((module) => Object.entries(module).filter(([, value]) => typeof value === "function"));
  const names = new Set(functions.map(([name]) => name).filter((name) => !FOR_AUTHORS.includes(name)));
  expect([...names].filter((name) => !(name in CALLS))).toEqual([]);
});

describe.each(Object.entries(CALLS))("%s", (name, row) => {
  const [, ...good] = row;

  test("takes good arguments", () => {
    expect(failureOf(row, good)).toBeNull();
  });

  test("says in words what is wrong with an argument", () => {
    for (const position of good.keys()) {
      for (const [title, value] of HOSTILE) {
        const failure = failureOf(row, good.with(position, value));
        expect(failure === null || inWords(name, failure), `${title} as argument ${position}: ${String(failure)}`).toBe(true);
      }
    }
  });

  test("refuses an option that it does not know, and names those it knows", () => {
    for (const [position, value] of good.entries()) {
      const isOptions =
        typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype && value !== service;
      if (isOptions && !["typeLabel", "uuidV7"].includes(name)) {
        const failure = failureOf(row, good.with(position, { ...value, workers: false }));
        expect(inWords(name, failure), String(failure)).toBe(true);
        expect((failure as Error).message).toMatch(
          /takes .*\w+, \w+.*; got "?(workers|boolean)|window|takes (lists|topics|links); got "workers"/,
        );
      }
    }
  });

  test("says in words what is wrong with each option", () => {
    for (const [position, value] of good.entries()) {
      const options = isOptions(value) ? [...Object.keys(value), ...(OPTIONS[name] ?? [])] : [];
      for (const [option, [title, hostile]] of options.flatMap((one) => HOSTILE.map((pair) => [one, pair] as const))) {
        const failure = failureOf(row, good.with(position, { ...(value as object), [option]: hostile }));
        expect(failure === null || inWords(name, failure), `${title} as ${option}: ${String(failure)}`).toBe(true);
      }
    }
  });
});

/** Options beside those of the good arguments. */
const HTTP_CHANNEL = ["name", "retryDelaysMs", "timeoutMs", "baseUrl", "api", "allowPrivate", "egress", "now"];
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  mailReceipts: ["ses", "sendgrid", "postmark", "channel", "tenant", "egress"],
  bullmqWorker: ["prefix", "keptCompleted", "keptFailed"],
  push: ["web", "fcm", "apns", "egress", "allowPrivate", "name", "retryDelaysMs", "now"],
  slack: HTTP_CHANNEL,
  discord: HTTP_CHANNEL,
  teams: HTTP_CHANNEL,
  telegram: HTTP_CHANNEL,
  whatsapp: HTTP_CHANNEL,
  twilio: [...HTTP_CHANNEL, "apiKeySid", "maxSegments"],
  vonage: [...HTTP_CHANNEL, "maxSegments"],
  sns: [...HTTP_CHANNEL, "senderId", "messageType", "maxSegments"],
  NotificationService: [
    "types",
    "channels",
    "directory",
    "role",
    "delivery",
    "hub",
    "transport",
    "worker",
    "logger",
    "clock",
    "ids",
    "defaultTenant",
    "retention",
  ],
  createHandler: [
    "sockets",
    "auth",
    "maxBodyBytes",
    "rateLimiter",
    "badCredentialLimiter",
    "clientAddress",
    "maxSocketsPerAddress",
    "socketCounts",
    "allowedOrigins",
    "basePath",
    "health",
    "logger",
    "clock",
  ],
  expressBelfry: ["auth", "basePath", "logger"],
  honoBelfry: ["auth", "basePath", "logger"],
  pack: ["auth", "indexOrder"],
  dashboard: ["authorize", "challenge", "tenant", "redact", "logger"],
  email: [
    "bounces",
    "dkim",
    "messageIdHeader",
    "transport",
    "provider",
    "fallbackTransports",
    "replyTo",
    "templates",
    "requireTLS",
    "acceptedIs",
    "timeoutMs",
    "name",
    "retryDelaysMs",
    "egress",
  ],
  webhook: ["allowPrivate", "timeoutMs", "headers", "name", "retryDelaysMs", "exchanges", "egress", "now"],
  verifyWebhook: ["toleranceMs"],
  createEgress: ["ca", "resolve", "connect"],
  openai: ["apiKey", "baseURL", "headers", "parameters", "timeoutMs", "concurrency", "retryDelaysMs", "maxContentLength", "name"],
  sqliteStorage: ["durability", "busyTimeoutMs", "logger"],
  redisTransport: ["shards", "heartbeatMs", "logger"],
  postgresStorage: ["schema", "poolSize", "preparedStatements", "time", "logger", "replica"],
};

test.each([
  [
    "NotificationService",
    { storage, delivery: { workers: false } },
    'delivery takes worker, concurrency, leaseMs, drainMs; got "workers".',
  ],
  [
    "NotificationService",
    { storage, types: { bill: { channels: ["fax"] } } },
    /no channel "fax", which the type "bill" names; its channels are inbox/,
  ],
  [
    "NotificationService",
    { storage, types: { bill: { lable: "Bill" } } },
    'the type "bill" takes label, category, data, required, channels, title, message, url, group; got "lable".',
  ],
  ["email", {}, /no from/],
  ["webhook", undefined, "webhook takes an object of secret, "],
  ["postgresStorage", "sqlite:x", "postgresStorage takes a connection string such as postgres://"],
  ["sqliteStorage", {}, "sqliteStorage got "],
  ["dashboard", undefined, "dashboard needs a NotificationService first"],
] as const)("%s of %j", (name, options, message) => {
  expect(failureOf(CALLS[name] as Call, [options])).toMatchObject({ code: "CONFIGURATION", message: expect.stringMatching(message) });
});

test.each([
  [{}, "postgresStorage takes replica as an object with the replica's database."],
  [{ database: 7 }, /^The option replica of postgresStorage got a number as its database\./],
  [
    { database: "mysql://user:secret@host/db" },
    /^The option replica of postgresStorage takes a connection string such as [^ ]+, got mysql:\.$/,
  ],
  [{ database: "postgres://host/db", maxLagMs: 99 }, /takes maxLagMs as a whole number of milliseconds, at least 100\.$/],
  [{ database: "postgres://host/db", maxlagms: 200 }, /^The option replica of postgresStorage takes database, maxLagMs; got "maxlagms"/],
])("postgresStorage with the replica %j", (replica, message) => {
  expect(failureOf(CALLS.postgresStorage as Call, ["postgres://localhost/x", { replica }])).toMatchObject({
    code: "CONFIGURATION",
    message: expect.stringMatching(message),
  });
});

test.each(HOSTILE)("migrate says in words that %s is no database", async (_, value) => {
  for (const migrate of [sqlite.migrate, postgres.migrate]) {
    await expect(migrate(value as never)).rejects.toMatchObject({
      code: "CONFIGURATION",
      message: expect.stringMatching(/^migrate got no /),
    });
  }
});

test.each(HOSTILE)("partition says in words that %s is no database", async (_, value) => {
  await expect(postgres.partition(value as never)).rejects.toMatchObject({
    code: "CONFIGURATION",
    message: expect.stringMatching(/^partition got no /),
  });
});

test.each(HOSTILE)("a move says in words that %s are no options of it", async (_, value) => {
  for (const [name, move] of Object.entries({ moveTenant: postgres.moveTenant, abandonMove: postgres.abandonMove })) {
    const options = value as never;
    await expect(move(options)).rejects.toMatchObject({ code: "CONFIGURATION", message: expect.stringMatching(new RegExp(`^${name} `)) });
  }
});

test("dashboard(notifications, { authorise }) is refused by name", () => {
  const failure = failureOf(CALLS.dashboard as Call, [service, { authorise: () => null }]);
  expect((failure as Error).message).toBe('dashboard takes authorize, challenge, tenant, basePath, redact, logger; got "authorise".');
});

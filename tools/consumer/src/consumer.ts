import { type ExpressBelfry, expressBelfry } from "@belfry/adapter-express";
import { type HonoBelfry, honoBelfry } from "@belfry/adapter-hono";
import { type SlackMessage, type SlackOptions, slack } from "@belfry/channel-chat";
import { type EmailOptions, email } from "@belfry/channel-email";
import { type PushOptions, push } from "@belfry/channel-push";
import { smsSegments, type TwilioOptions, twilio } from "@belfry/channel-sms";
import { verifyWebhook, type WebhookOptions, webhook } from "@belfry/channel-webhook";
import { type BelfryConfig, EXIT, type ExitCode, type Io, run } from "@belfry/cli";
import { createClient, type Item } from "@belfry/client";
import {
  BelfryError,
  type Channel,
  type Clock,
  type Created,
  type CreateInput,
  type DataOf,
  type DeliveryOutcome,
  defineTypes,
  type InboxItem,
  type InboxListener,
  type JobQueues,
  type Logger,
  NotificationService,
  type NotificationServiceOptions,
  type OnResult,
  type Processor,
} from "@belfry/core";
import type { AuthOptions } from "@belfry/core/auth";
import { deliveryV1, django, fastapiFailure, hub, inboxV1, isoDate, pack } from "@belfry/core/contracts";
import {
  type Contract,
  createHandler,
  defineContract,
  defineRoute,
  given,
  type HandlerOptions,
  type HttpHandler,
  inboxOf,
  integerParameter,
  reply,
} from "@belfry/core/http";
import { type UpgradeListener, upgradeListener } from "@belfry/core/node";
import { STORAGE_VERSION, type Storage, type Transport } from "@belfry/core/storage";
import { type Dashboard, type DashboardOptions, dashboard, localOnly } from "@belfry/dashboard";
import { createEgress, type Egress, type EgressResult, httpOutcome } from "@belfry/egress";
import type { GetToken } from "@belfry/element";
import { type MailReceiptsOptions, mailReceipts } from "@belfry/mail-receipts";
import { type OpenAIOptions, openai } from "@belfry/processor-openai";
import { Inbox, type InboxProps, useCounts, useNotifications } from "@belfry/react";
import { migrate as migratePostgres, type PostgresTransaction, postgresStorage, postgresTransport } from "@belfry/storage-postgres";
import { notifications as postgresTable, tablesIn } from "@belfry/storage-postgres/schema";
import { migrate as migrateSqlite, sqliteStorage } from "@belfry/storage-sqlite";
import { notifications as sqliteTable } from "@belfry/storage-sqlite/schema";
import { openTelemetryMetrics, openTelemetryTracing } from "@belfry/telemetry";
import { type PrometheusOptions, prometheus } from "@belfry/telemetry/prometheus";
import {
  type ChannelHarness,
  channelSuite,
  type HttpHarness,
  httpSuite,
  type StorageHarness,
  storageSuite,
  transportSuite,
  type WorkerHarness,
  workerSuite,
} from "@belfry/testkit";
import { type RedisSource, type RedisTransport, redisTransport } from "@belfry/transport-redis";
import { type BullmqWorkerOptions, bullmqWorker } from "@belfry/worker-bullmq";
import Database from "better-sqlite3";
import { eq } from "drizzle-orm";
import { drizzle as drizzleSqlite } from "drizzle-orm/better-sqlite3";
import { drizzle as drizzlePostgres } from "drizzle-orm/node-postgres";
import express from "express";
import { Hono } from "hono";
import { Pool } from "pg";
import { z } from "zod";

/** The host's types of notifications. */
const types = defineTypes({
  order_update: { label: "Order update", data: z.object({ order: z.number() }), channels: ["inbox", "email"] },
  welcome: {},
});
type Data = DataOf<typeof types>;

/** A channel, a processor and a clock of the host's own. */
const pigeons: Channel = {
  name: "pigeon",
  retryDelaysMs: [1_000],
  timeoutMs: 5_000,
  invalidRecipient: (recipient) => (recipient === "" ? "there is no pigeon" : null),
  deliver: async ({ address }, signal): Promise<DeliveryOutcome> =>
    signal.aborted
      ? { status: "failed", transient: true, error: "called back", provider: "pigeon" }
      : { status: "sent", provider: "pigeon", response: address },
};
const reader: Processor = {
  name: "reader",
  timeoutMs: 1_000,
  concurrency: 1,
  process: async ({ prompt, notification }) => ({ status: "completed", text: `${prompt}: ${notification.content}` }),
};
const clock: Clock = {
  now: () => 0,
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const onResult: OnResult<Data> = async ({ text, create }) => {
  await create({ to: "ann", type: "welcome", title: text });
};

/** The services: one over each storage, and one without types. */
const mail: EmailOptions = { transport: "smtp://localhost", from: { name: "The Shop", address: "shop@example.com" } };
const hooks: WebhookOptions = { secret: ["whsec_bmV3", "whsec_b2xk"], allowPrivate: true };
const phones: PushOptions = { expo: { accessToken: "token" }, timeoutMs: 5_000 };
const reports: MailReceiptsOptions = { mailgun: { signingKey: "key" }, tenant: "acme" };
const model: OpenAIOptions = { model: "gpt-5-mini", parameters: { temperature: 0 } };
const database = new Database(":memory:");
const pool = new Pool({ connectionString: "postgres://localhost/belfry" });
const transport: Transport = postgresTransport(pool, { heartbeatMs: 1_000 });
const chats: SlackOptions = { token: async (tenant) => `token of ${tenant}`, baseUrl: "https://app.example.com" };
const texts: TwilioOptions = {
  accountSid: `AC${"0".repeat(32)}`,
  authToken: "secret",
  from: "Shop",
  maxSegments: smsSegments("Hello").count,
};
export const greeting = { text: "Hello" } satisfies SlackMessage;
const shared = { types, channels: [email(mail), webhook(hooks), slack(chats), twilio(texts), push(phones), pigeons], clock, logger };
const onSqlite = new NotificationService({ ...shared, storage: sqliteStorage(database), hub: { processor: openai(model), onResult } });
const jobs: BullmqWorkerOptions = { connection: { host: "localhost", port: 6379 }, keptFailed: 10 };
const worker: JobQueues = bullmqWorker(jobs);
const onPostgres = new NotificationService({ ...shared, storage: postgresStorage(pool), transport, worker, hub: { processor: reader } });
const options: NotificationServiceOptions = {
  storage: sqliteStorage(":memory:", { durability: "normal" }),
  tracing: openTelemetryTracing({ ratio: 0.1 }),
};
const nodes: RedisSource = ["redis://a:7000", "redis://b:7000"];
const redis: RedisTransport = redisTransport(nodes, { shards: 1_024, logger });
export const inFleet = new NotificationService({ storage: postgresStorage(pool), transport: redis });
// @ts-expect-error A limit has a name.
export const unnamed = () => redis.rateLimiter({ limit: 10 });
const untyped: NotificationService = new NotificationService(options);
export const endMetrics = openTelemetryMetrics(onSqlite, { tenants: ["acme"] });
const scraped: PrometheusOptions = { token: "a long enough token" };

/** What the host writes, in its own transactions too. */
export async function order(tx: PostgresTransaction, subscribe: InboxListener): Promise<Created> {
  const input: CreateInput<Data> = { to: "ann", type: "order_update", title: "Order shipped", priority: "high", data: { order: 1 } };
  await onPostgres.create(input, { tx });
  await drizzlePostgres(pool).transaction((transaction) => onPostgres.create({ to: "ann", type: "welcome" }, { tx: transaction }));
  const prepared = await onSqlite.prepare(input);
  database.transaction(() => prepared.write(database))();
  // @ts-expect-error The order is a number.
  await onPostgres.create({ to: "ann", type: "order_update", data: { order: "1" } });
  const subscription = untyped.inbox("ann").subscribe(subscribe);
  const { items, counts } = await untyped.inbox("ann").list({ status: "unread", limit: 10 });
  const titles = items.map(({ title, createdAt }: InboxItem) => `${title} ${createdAt.toISOString()}`);
  subscription.close();
  return untyped.create({ to: ["ann"], channels: ["pigeon"], title: titles.join(), message: `${counts.unread} more` });
}

/** What the host reads of Belfry's tables. */
export async function titles(user: string): Promise<string[]> {
  await migratePostgres(pool, { schema: "belfry" });
  await migrateSqlite(database);
  const { notifications: theirs } = tablesIn("belfry");
  const one = await drizzlePostgres(pool).select({ title: theirs.title }).from(theirs).where(eq(theirs.tenant, user));
  const two = await drizzlePostgres(pool).select().from(postgresTable);
  const three = drizzleSqlite(database, { schema: { notifications: sqliteTable } })
    .select()
    .from(sqliteTable)
    .all();
  return [...one, ...two, ...three].map(({ title }) => title ?? "");
}

/** A contract of the host's own, and the ways to mount it. */
const bell: Contract = defineContract({
  name: "bell",
  title: "The bell",
  basePath: "/bell",
  credential: "token",
  principal: "user",
  routes: [
    defineRoute("GET", "/bell", {
      operationId: "bell",
      summary: "The newest notification",
      query: z.object({ limit: integerParameter({ min: 1, max: 10, description: "How many" }).optional() }),
      responses: { 200: { description: "Their dates", schema: z.array(z.string()) } },
      async handle(context) {
        const { items } = await inboxOf(context).list(given(context.query));
        return reply(items.map(({ createdAt }) => isoDate(createdAt)));
      },
    }),
  ],
  renderFailure: (failure) => fastapiFailure(failure, "Token"),
});
const auth: AuthOptions = { jwt: { secret: "a secret", clockToleranceS: 1 }, tokens: { "a token": "ann" } };
const mounting: HandlerOptions = {
  contracts: [
    bell,
    mailReceipts(reports),
    prometheus(onPostgres, scraped),
    inboxV1(),
    deliveryV1(),
    hub(),
    django(),
    pack({ auth: "open" }),
  ],
  auth,
  rateLimiter: redis.rateLimiter({ name: "creates", limit: 600 }),
  socketCounts: redis.socketCounts(),
};
const handler: HttpHandler = createHandler(untyped, mounting);
export const upgrade: UpgradeListener = upgradeListener(handler, "/x");

const page: DashboardOptions = { authorize: localOnly, tenant: "acme" };
const operators: Dashboard = dashboard(onPostgres, page);
const belowExpress: ExpressBelfry = expressBelfry(onPostgres, mounting);
const belowHono: HonoBelfry = honoBelfry(onSqlite, mounting);
export const app = express().use("/x", belowExpress).use("/admin", operators);
export const hono = new Hono().route("/x", belowHono).mount("/admin", operators.fetch);

/** What a channel of the host's own may use. */
export async function fetchGuarded(url: string, headers: Headers): Promise<DeliveryOutcome> {
  const egress: Egress = createEgress({ allowPrivate: false });
  if (!verifyWebhook({ secret: hooks.secret as string, headers, body: "{}" })) {
    throw new BelfryError("VALIDATION_ERROR", "This is no webhook of ours.");
  }
  const result: EgressResult = await egress.send(url, { method: "POST", body: "{}" });
  return httpOutcome(result, { provider: "ours", acceptedIs: "sent", messageId: "1", nowMs: clock.now() });
}

/** The suites, over implementations of the host's own. */
export function suites(http: HttpHarness, channel: ChannelHarness, storage: StorageHarness): void {
  httpSuite("ours", http);
  channelSuite("ours", channel);
  storageSuite("ours", storage);
  transportSuite("ours", { crossesProcesses: true, create: async () => transport });
}
export const testOurWorker = (work: WorkerHarness) => workerSuite("ours", work);

/** A storage of the host's own has to say which version of the interface it was written for. */
export const version: Pick<Storage, "version"> = { version: STORAGE_VERSION };

/** The inbox of a front end, and a hook. */
export const frontEnd: { readonly inbox: (props: InboxProps) => unknown; readonly counts: typeof useCounts } = {
  inbox: Inbox,
  counts: useCounts,
};

/** What the element asks for. */
export const getToken: GetToken = () => "token";

/** The shape of a service with two declared types. */
interface Shop {
  inbox(userId: string): {
    get(ref: string): Promise<Item<"paid", { readonly amount: number }> | Item<"comment", { readonly post: string }>>;
  };
}
const client = createClient<Shop>({ url: "/api/belfry/v1" });

declare module "@belfry/react" {
  interface Register {
    readonly client: typeof client;
  }
}

/** Hooks know the data of each type once a host has named its client. */
export function useAmounts(): readonly number[] {
  return useNotifications().items.flatMap((item) => (item.type === "paid" ? [item.data.amount] : []));
}

/** Data that a type does not have is an error. */
export function usePosts(): readonly unknown[] {
  // @ts-expect-error
  return useNotifications().items.map((item) => (item.type === "paid" ? item.data.post : null));
}

/** The command line from a program of the host's own, and what its configuration exports. */
export async function isHealthy(io: Io): Promise<boolean> {
  const code: ExitCode = await run(["doctor", "--json"], io);
  return code === EXIT.ok;
}

/** What `belfry.config.ts` exports, of any service. */
export const config = (notifications: NotificationService): BelfryConfig => ({ notifications });

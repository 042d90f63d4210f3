import { BelfryError, type Clock, HTTP_STATUS, type Receipt, requireOptions, systemClock } from "@belfry/core";
import {
  type Contract,
  defineContract,
  defineRoute,
  type Failure,
  type Reply,
  type Route,
  type RouteContext,
  reply,
} from "@belfry/core/http";
import { createEgress, type EgressOptions } from "@belfry/egress";
import { type MailgunReceipts, mailgun } from "./mailgun.ts";
import { type PostmarkReceipts, postmark } from "./postmark.ts";
import type { Provider } from "./provider.ts";
import { type SendgridReceipts, sendgrid } from "./sendgrid.ts";
import { type SesReceipts, ses } from "./ses.ts";
import { unavailable } from "./verify-sns.ts";

/** Options of {@link mailReceipts}: the providers that report, each with what tells its requests from others. */
export interface MailReceiptsOptions {
  readonly ses?: SesReceipts;
  readonly sendgrid?: SendgridReceipts;
  readonly postmark?: PostmarkReceipts;
  readonly mailgun?: MailgunReceipts;
  /** Whose deliveries they may report of, where a tenant has accounts of its own. @default those of every tenant */
  readonly tenant?: string;
  /** The channel that sends over them. @default "email" */
  readonly channel?: string;
  /** How certificates of Amazon are fetched. @default the system's resolver, and sockets */
  readonly egress?: Omit<EgressOptions, "allowPrivate">;
  /** @default the system's */
  readonly clock?: Pick<Clock, "now">;
}

const OPTIONS: Readonly<Record<keyof MailReceiptsOptions, true>> = {
  ...{ ses: true, sendgrid: true, postmark: true, mailgun: true },
  ...{ tenant: true, channel: true, egress: true, clock: true },
};

const BASE = "/api/belfry/mail-receipts";
/** More than any of the providers sends at once. */
const MAX_BODY_BYTES = 1024 * 1024;
/** How many receipts of a request are recorded at once. */
const AT_ONCE = 16;
const RETRY_AFTER_SECONDS = 60;

/**
 * The webhooks of mail providers, as a contract to mount beside others: each at `/api/belfry/mail-receipts/` and its name, with
 * `/tenants/` and the tenant before the name where a tenant is given. Every request is verified by its signature or secret, and what it
 * reports goes to `notifications.receipts`.
 *
 * @throws BelfryError `CONFIGURATION` for a provider that lacks what it is verified by, and if there is none
 * @example
 * ```ts
 * app.use(expressBelfry(notifications, { contracts: [mailReceipts({ ses: { topicArns: [process.env.SES_TOPIC_ARN] } })] }));
 * ```
 */
export function mailReceipts(options: MailReceiptsOptions): Contract {
  requireOptions("mailReceipts", options, OPTIONS);
  const providers = providersOf(options);
  if (providers.length === 0) {
    throw new BelfryError("CONFIGURATION", "mailReceipts: no provider is given; give ses, sendgrid, postmark or mailgun");
  }
  const { tenant, channel = "email" } = options;
  if ([tenant ?? "default", channel].some((name) => typeof name !== "string" || name === "")) {
    throw new BelfryError("CONFIGURATION", "mailReceipts: tenant or channel is no text, or an empty one");
  }
  const base = tenant === undefined ? BASE : `${BASE}/tenants/${encodeURIComponent(tenant)}`;
  return defineContract({
    name: tenant === undefined ? "mail-receipts" : `mail-receipts of ${tenant}`,
    title: "Belfry mail receipts",
    basePath: base,
    credential: "open",
    principal: "client",
    routes: providers.map((provider) => routeOf(provider, { path: `${base}/${provider.name}`, tenant, channel })),
    renderFailure,
  });
}

function providersOf(options: MailReceiptsOptions): readonly Provider[] {
  const { clock = systemClock, egress = {} } = options;
  requireOptions("mailReceipts' egress", egress, { ca: true, resolve: true, connect: true });
  if (options.ses !== undefined) {
    requireOptions("mailReceipts' ses", options.ses, { topicArns: true } satisfies Record<keyof SesReceipts, true>);
  }
  requireSecrets("sendgrid", options.sendgrid, ["publicKey"]);
  requireSecrets("postmark", options.postmark, ["user", "password"]);
  requireSecrets("mailgun", options.mailgun, ["signingKey"]);
  return [
    ...(options.ses === undefined ? [] : [ses(options.ses, { clock, egress: createEgress(egress) })]),
    ...(options.sendgrid === undefined ? [] : [sendgrid(options.sendgrid, clock)]),
    ...(options.postmark === undefined ? [] : [postmark(options.postmark)]),
    ...(options.mailgun === undefined ? [] : [mailgun(options.mailgun, clock)]),
  ];
}

function requireSecrets(provider: string, given: object | undefined, names: readonly string[]): void {
  if (given === undefined) {
    return;
  }
  requireOptions(`mailReceipts' ${provider}`, given, Object.fromEntries(names.map((name) => [name, true as const])));
  for (const name of names) {
    const secret = (given as Readonly<Record<string, unknown>>)[name];
    if (typeof secret !== "string" || secret === "") {
      throw new BelfryError("CONFIGURATION", `mailReceipts: ${provider}.${name} is missing; without it anybody could report`);
    }
  }
}

interface Mount {
  readonly path: string;
  readonly tenant: string | undefined;
  readonly channel: string;
}

function routeOf(provider: Provider, { path, tenant, channel }: Mount): Route {
  return defineRoute("POST", path, {
    operationId: `record_${provider.name}`,
    summary: `Record what ${provider.name} reports of mails`,
    responses: {
      200: { description: "It is recorded" },
      503: { description: "A mail is still being sent, or the storage is away: send it again" },
    },
    async handle(context) {
      const { request } = context;
      if (request.parsedBody) {
        throw new BelfryError(
          "CONFIGURATION",
          "mailReceipts: the host's parser has read the body; mount Belfry before it, or leave out its path",
        );
      }
      const bytes = await request.body(MAX_BODY_BYTES);
      if (bytes.length > MAX_BODY_BYTES) {
        throw new BelfryError("PAYLOAD_TOO_LARGE", "The body is too large.");
      }
      const { receipts, recorded } = await provider.read({ headers: request.headers, bytes });
      const of = receipts.map((receipt) => ({ ...receipt, channel, provider: provider.name }));
      await recordAll(context, tenant, of);
      recorded?.();
      return reply({ recorded: receipts.length });
    },
  });
}

/** Records receipts, a few at once. @throws BelfryError `STORAGE_UNAVAILABLE` if one is about a mail that is still being sent */
async function recordAll({ service, report }: RouteContext, tenant: string | undefined, receipts: readonly Receipt[]): Promise<void> {
  const to = tenant === undefined ? service.receiptsOfAll : service.tenant(tenant).receipts;
  let isUnderWay = false;
  for (let first = 0; first < receipts.length; first += AT_ONCE) {
    const recorded = receipts.slice(first, first + AT_ONCE).map(async (receipt) => {
      try {
        const { outcome } = await to.record(receipt);
        isUnderWay ||= outcome === "under_way";
      } catch (error) {
        // To send it again would not help.
        if (!(error instanceof BelfryError && error.code === "VALIDATION_ERROR")) {
          throw error;
        }
        report(error, "A provider reported of a mail in a form that cannot be recorded.");
      }
    });
    await Promise.all(recorded);
  }
  if (isUnderWay) {
    throw unavailable("a mail that was reported of is still being sent");
  }
}

function renderFailure({ error }: Failure): Reply {
  const status = HTTP_STATUS[error.code];
  const isLater = status === HTTP_STATUS.STORAGE_UNAVAILABLE;
  const headers = isLater ? { "retry-after": String(RETRY_AFTER_SECONDS) } : undefined;
  return { status, json: { error: error.code }, ...(headers && { headers }) };
}

import { randomBytes } from "node:crypto";
import type { Channel } from "@belfry/core";
import type { MailReceiptsOptions } from "@belfry/mail-receipts";
import { z } from "zod";
import { mailReportsOf } from "./mail-reports.ts";
import { otherChannels } from "./other-channels.ts";
import { databasesOf, PROCESS_VARIABLES, type ProcessConfig, processConfig } from "./process-config.ts";
import { faultOf } from "./set-up.ts";
import { readAddresses, type UserAddresses } from "./user-addresses.ts";

/** The database with the data. */
export type DatabaseConfig =
  /** A file's path, or ":memory:". */
  | { readonly kind: "sqlite"; readonly file: string }
  /** A connection string, which may contain a password. */
  | { readonly kind: "postgres"; readonly url: string };

/** The server's configuration from its environment, with its own choices for missing values. */
export interface ServerConfig extends ProcessConfig {
  /** Whether it opens on a page to try it out, which lets whoever opens it be either of two users. */
  readonly isDemo: boolean;
  readonly host: string;
  readonly port: number;
  readonly framework: "express" | "hono";
  readonly database: DatabaseConfig;
  /** Where the Redis is that connects many instances; it may contain a password. Null for none. */
  readonly redisUrl: string | null;
  /** Client by API key. */
  readonly apiKeys: ReadonlyMap<string, string>;
  /** The key that the server made up because none was given; null otherwise. */
  readonly madeUpKey: string | null;
  readonly defaultTenant: string;
  readonly jwtSecret: string;
  /** Whether the secret was made up because none was given. */
  readonly isJwtSecretMadeUp: boolean;
  /** User by token. */
  readonly userTokens: ReadonlyMap<string, string>;
  readonly packAuth: "open" | "apikey";
  /** Origins of front ends that other servers serve. */
  readonly corsOrigins: readonly string[];
  /** The SMTP servers for mail, in the order in which to try them; empty for none. */
  readonly smtpUrls: readonly string[];
  /** Those of single tenants, instead. */
  readonly tenantSmtpUrls: ReadonlyMap<string, readonly string[]>;
  readonly emailFrom: string;
  /** What a mail is that the server has accepted. */
  readonly emailAcceptedIs: "sent" | "delivered";
  /** The providers whose webhooks report what became of mails; null for none. */
  readonly mailReports: MailReceiptsOptions | null;
  /** Address by user. */
  readonly userEmails: ReadonlyMap<string, string>;
  readonly userAddresses: UserAddresses;
  /** The channels beside e-mail and webhooks. */
  readonly otherChannels: readonly Channel[];
  /** Where links in mails lead, and what signs them; empty for no such links. */
  readonly links: { readonly publicUrl: string; readonly linkSecret: string } | Record<string, never>;
  /** Signs webhooks; in the format of Standard Webhooks. */
  readonly webhookSecret: string;
  /** Whether the secret was made up because none was given. */
  readonly isWebhookSecretMadeUp: boolean;
  /** Whether webhooks may reach private addresses, and use plain http. */
  readonly webhookAllowPrivate: boolean;
  /** How many notifications a client may create in a minute; null for any number. */
  readonly rateLimit: number | null;
  /** The first retry delay of every channel, in milliseconds; null for the channels' own. */
  readonly retryBaseMs: number | null;
  /** The model that runs the hub's handlers; null for none. */
  readonly model: ModelConfig | null;
}

/** The address and the name of an OpenAI-compatible model. */
export interface ModelConfig {
  /** Undefined for OpenAI's own. */
  readonly baseURL: string | undefined;
  readonly apiKey: string | undefined;
  readonly model: string;
}

const DEFAULT_MODEL = "gpt-5-mini";

const environment = z.object({
  ...PROCESS_VARIABLES,
  DEMO: z.enum(["0", "1"]).optional(),
  FRAMEWORK: z.enum(["express", "hono"]).default("express"),
  REDIS_URL: z.string().optional(),
  API_KEYS: z.string().optional(),
  JWT_SECRET: z.string().min(1).optional(),
  USER_TOKENS: z.string().optional(),
  PACK_AUTH: z.enum(["open", "apikey"]).optional(),
  CORS_ORIGINS: z.string().optional(),
  SMTP_URL: z.string().optional(),
  TENANT_SMTP_URLS: z.string().optional(),
  EMAIL_FROM: z.string().default("Belfry <belfry@localhost.localdomain>"),
  EMAIL_ACCEPTED_IS: z.enum(["sent", "delivered"]).default("delivered"),
  USER_EMAILS: z.string().optional(),
  USER_ADDRESSES: z.string().optional(),
  PUBLIC_URL: z.url({ protocol: /^https?$/, error: "must be an address like https://example.com" }).optional(),
  LINK_SECRET: z.string().min(32, "must have at least 32 characters").optional(),
  WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]+={0,2}$/, "must be whsec_ and base64")
    .optional(),
  WEBHOOK_ALLOW_PRIVATE: z.enum(["0", "1"]).default("0"),
  RATE_LIMIT: z.coerce.number("must be a number of creates a minute").int().min(1).optional(),
  OPENAI_BASE_URL: z.url({ protocol: /^https?$/, error: "must be a URL like https://api.openai.com/v1" }).optional(),
  OPENAI_API_KEY: z.string().optional(),
  OPENAI_MODEL: z.string().default(DEFAULT_MODEL),
  RETRY_BASE_MS: z.coerce.number("must be a number of milliseconds").int().min(1).optional(),
});

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);

/** A host with one of them is somebody's own, no demo. */
const SECRETS = [
  "API_KEYS",
  "JWT_SECRET",
  "USER_TOKENS",
  "WEBHOOK_SECRET",
  "LINK_SECRET",
  "SMTP_URL",
  "TENANT_SMTP_URLS",
  "OPENAI_API_KEY",
] as const;

/** Reads the environment. @throws Error that names the variable, the fault of its value and the remedy */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ServerConfig {
  // An empty variable counts as not set.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const result = environment.safeParse(given);
  if (!result.success) {
    throw new Error(result.error.issues.map(({ path, message }) => faultOf(String(path[0]), message, given)).join("; "));
  }
  const { USER_EMAILS, WEBHOOK_SECRET, WEBHOOK_ALLOW_PRIVATE, RETRY_BASE_MS, RATE_LIMIT } = result.data;
  const { HOST, PORT, FRAMEWORK, DATABASE_URL, API_KEYS, JWT_SECRET, USER_TOKENS, PACK_AUTH } = result.data;
  const madeUpKey = API_KEYS === undefined ? randomBytes(24).toString("base64url") : null;
  const apiKeys = madeUpKey === null ? pairs("API_KEYS", API_KEYS) : new Map([[madeUpKey, "default"]]);
  const others = otherChannels(defined(given), {
    allowPrivate: WEBHOOK_ALLOW_PRIVATE === "1",
    ...(result.data.PUBLIC_URL !== undefined && { baseUrl: result.data.PUBLIC_URL }),
  });
  const mailReports = mailReportsOf(defined(given));
  const hasOthers = others.length > 0 || mailReports !== null;
  return {
    ...processConfig(result.data),
    isDemo: isDemo(result.data, { isProduction: given.NODE_ENV === "production", hasOthers }),
    mailReports,
    otherChannels: others,
    userAddresses: readAddresses(result.data.USER_ADDRESSES),
    host: HOST,
    port: PORT,
    framework: FRAMEWORK,
    database: databaseConfig(DATABASE_URL, result.data.DATABASE_URLS),
    redisUrl: redisUrlOf(result.data),
    apiKeys,
    madeUpKey,
    defaultTenant: [...apiKeys.values()][0] ?? "default",
    jwtSecret: JWT_SECRET ?? randomBytes(32).toString("base64url"),
    isJwtSecretMadeUp: JWT_SECRET === undefined,
    userTokens: pairs("USER_TOKENS", USER_TOKENS),
    ...mailConfig(result.data),
    userEmails: pairs("USER_EMAILS", USER_EMAILS),
    links: linkConfig(result.data),
    webhookSecret: WEBHOOK_SECRET ?? `whsec_${randomBytes(32).toString("base64")}`,
    isWebhookSecretMadeUp: WEBHOOK_SECRET === undefined,
    webhookAllowPrivate: WEBHOOK_ALLOW_PRIVATE === "1",
    rateLimit: RATE_LIMIT ?? null,
    retryBaseMs: RETRY_BASE_MS ?? null,
    model: modelConfig(result.data),
    corsOrigins: originsOf(result.data.CORS_ORIGINS),
    packAuth: PACK_AUTH ?? (LOOPBACK.has(HOST) ? "open" : "apikey"),
  };
}

/** One Redis connects the instances of one database: those of another one would hear of inboxes that they do not have. */
function redisUrlOf({ REDIS_URL, DATABASE_URLS }: z.infer<typeof environment>): string | null {
  if (REDIS_URL !== undefined && DATABASE_URLS !== undefined) {
    throw new Error("REDIS_URL: connects the instances of one database; leave it out with DATABASE_URLS, whose databases connect theirs");
  }
  return REDIS_URL ?? null;
}

/** The variables that are set. */
function defined(given: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** Whether the page of the demo is there: when it is asked for, or no secret is configured, and only for this machine. */
function isDemo(
  config: z.infer<typeof environment>,
  { isProduction, hasOthers }: { readonly isProduction: boolean; readonly hasOthers: boolean },
): boolean {
  const isPossible = LOOPBACK.has(config.HOST) && !isProduction && config.ROLE === "all" && config.DATABASE_URLS === undefined;
  if (config.DEMO === "1" && !isPossible) {
    throw new Error(
      "DEMO: its page lets whoever opens it be a user, so it is for this machine alone; leave out HOST, ROLE and NODE_ENV=production, or DEMO",
    );
  }
  const hasSecrets = hasOthers || SECRETS.some((name) => config[name] !== undefined);
  return isPossible && (config.DEMO === undefined ? !hasSecrets : config.DEMO === "1");
}

/** The servers for mail, who it is from, and what it is once it was accepted. */
function mailConfig({
  SMTP_URL,
  TENANT_SMTP_URLS,
  EMAIL_FROM,
  EMAIL_ACCEPTED_IS,
}: z.infer<typeof environment>): Pick<ServerConfig, "smtpUrls" | "tenantSmtpUrls" | "emailFrom" | "emailAcceptedIs"> {
  const ofTenants = [...pairs("TENANT_SMTP_URLS", TENANT_SMTP_URLS, "first")];
  return {
    smtpUrls: smtpUrlsOf("SMTP_URL", SMTP_URL),
    tenantSmtpUrls: new Map(ofTenants.map(([tenant, urls]) => [tenant, smtpUrlsOf("TENANT_SMTP_URLS", urls)])),
    emailFrom: EMAIL_FROM,
    emailAcceptedIs: EMAIL_ACCEPTED_IS,
  };
}

/** Mails have links to unsubscribe where both are set, and one alone is a mistake: a secret that is made up would end the links of every earlier run. */
function linkConfig({ PUBLIC_URL, LINK_SECRET }: z.infer<typeof environment>): ServerConfig["links"] {
  if (LINK_SECRET !== undefined && PUBLIC_URL === undefined) {
    throw new Error(
      "LINK_SECRET: signs links below PUBLIC_URL, which is not set; set it to the address of this server, like https://example.com",
    );
  }
  if (PUBLIC_URL !== undefined && LINK_SECRET === undefined) {
    throw new Error(
      "PUBLIC_URL: serves the links that LINK_SECRET signs, which is not set; set it to a random text of at least 32 characters",
    );
  }
  return PUBLIC_URL !== undefined && LINK_SECRET !== undefined ? { publicUrl: PUBLIC_URL, linkSecret: LINK_SECRET } : {};
}

/** A model is configured by its address, its key, or both: some that run locally need no key. */
function modelConfig({ OPENAI_BASE_URL, OPENAI_API_KEY, OPENAI_MODEL }: z.infer<typeof environment>): ModelConfig | null {
  const isConfigured = OPENAI_BASE_URL !== undefined || OPENAI_API_KEY !== undefined;
  return isConfigured ? { baseURL: OPENAI_BASE_URL, apiKey: OPENAI_API_KEY, model: OPENAI_MODEL } : null;
}

/** Reads a list of origins. One with a path, or in other letters than browsers send, would never match. */
function originsOf(text = ""): readonly string[] {
  const origins = text.split(",").map((origin) => origin.trim());
  return origins
    .filter((origin) => origin !== "")
    .map((origin) => {
      const isOrigin = URL.canParse(origin) && new URL(origin).origin === origin;
      if (!isOrigin) {
        throw new Error(`CORS_ORIGINS: ${JSON.stringify(origin)} is no origin; write it as in https://app.example.com, without a path.`);
      }
      return origin;
    });
}

/** Reads SMTP URLs with spaces between them. The error does not repeat one, which may contain a password. */
function smtpUrlsOf(name: string, text = ""): readonly string[] {
  const urls = text.split(/\s+/).filter((url) => url !== "");
  if (!urls.every((url) => ["smtp:", "smtps:"].includes(URL.parse(url)?.protocol ?? ""))) {
    throw new Error(`${name}: must be a URL like smtp://user:password@host:587, or several with spaces between them`);
  }
  return urls;
}

/** Reads `key=value,key=value`; a key may contain "=", so an entry is split at its last one, or at its first one where the value may. */
function pairs(name: string, text: string | undefined, splitAt: "first" | "last" = "last"): Map<string, string> {
  const entries = (text ?? "").split(",").filter((entry) => entry.trim() !== "");
  return new Map(
    entries.map((entry, index) => {
      const at = splitAt === "first" ? entry.indexOf("=") : entry.lastIndexOf("=");
      const [key, value] = [entry.slice(0, at).trim(), entry.slice(at + 1).trim()];
      if (at < 1 || key === "" || value === "") {
        throw new Error(`${name}: entry ${index + 1} is not of the form key=value.`);
      }
      return [key, value];
    }),
  );
}

/** The one database, or the first of several. */
function databaseConfig(given: string | undefined, several: string | undefined): DatabaseConfig {
  const [first] = databasesOf(several).values();
  if (first !== undefined && given !== undefined) {
    throw new Error("DATABASE_URLS: names all databases, so leave DATABASE_URL out");
  }
  const url = first ?? given ?? "sqlite:./data/belfry.db";
  const [scheme = "", rest] = url.split(/:(.*)/s, 2);
  if (scheme === "sqlite" && rest) {
    return { kind: "sqlite", file: rest };
  }
  // The error does not repeat an invalid URL, which may contain a password.
  if ((scheme === "postgres" || scheme === "postgresql") && URL.canParse(url)) {
    return { kind: "postgres", url };
  }
  const fault =
    scheme === "postgres" || scheme === "postgresql"
      ? "this is no valid URL (are special characters of the password percent-encoded?)"
      : `cannot use "${scheme}:"`;
  throw new Error(`DATABASE_URL: ${fault}; give sqlite:<path>, sqlite::memory: or postgres://user:password@host:port/database`);
}

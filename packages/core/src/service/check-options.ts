import type { Channel } from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { hasFunctions, type MembersOf, requireLoggerAndClock, requireOption, requireOptions } from "../foundation/issue-list.ts";
import { describe, NAME_RULE, shown, textIssue } from "../foundation/parse-text.ts";
import {
  channelsOfType,
  INBOX_CHANNEL,
  isLocale,
  membersOf,
  type NotificationType,
  type NotificationTypes,
  requireCategories,
  requireTypes,
  rulesOfType,
} from "../notifications/index.ts";
import { ROLES } from "./roles.ts";
import type { DeliveryOptions, HubOptions, NotificationServiceOptions, SuppressionOptions } from "./service-options.ts";
import { STORAGE_VERSION, type Storage } from "./storage.ts";

/** The oldest Node that Belfry is tested on. */
const OLDEST_NODE = { major: 22, minor: 14 };

/** The versions in `process.versions`. Node, and runtimes that imitate it, have it. */
export type RuntimeVersions = Readonly<Record<string, string | undefined>>;

/**
 * Refuses a Node that is too old: some of what workers need is missing there, so that sends would be accepted and never
 * delivered. Other runtimes pass, also those that name the Node they imitate.
 *
 * @throws BelfryError `CONFIGURATION` that names the version
 */
export function checkRuntime(versions: RuntimeVersions = versionsHere()): void {
  const { node, bun, deno } = versions;
  if (node === undefined || bun !== undefined || deno !== undefined) {
    return;
  }
  const [major = 0, minor = 0] = node.split(".").map(Number);
  const isNewEnough = major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor);
  if (!isNewEnough) {
    throw new BelfryError(
      "CONFIGURATION",
      `NotificationService needs Node ${OLDEST_NODE.major}.${OLDEST_NODE.minor} or newer, but runs on Node ${node}. Update Node.`,
    );
  }
}

/** Empty on runtimes without a `process`, and where a bundler put a bare stand-in. */
function versionsHere(): RuntimeVersions {
  const { process } = globalThis as { readonly process?: { readonly versions?: RuntimeVersions } };
  return process?.versions ?? {};
}

const OPTIONS: MembersOf<NotificationServiceOptions> = {
  storage: true,
  types: true,
  categories: true,
  locale: true,
  publicUrl: true,
  linkSecret: true,
  channels: true,
  directory: true,
  role: true,
  delivery: true,
  suppression: true,
  alarms: true,
  hub: true,
  worker: true,
  retention: true,
  contentCacheBytes: true,
  transport: true,
  logger: true,
  tracing: true,
  clock: true,
  ids: true,
  defaultTenant: true,
};
const DELIVERY: MembersOf<DeliveryOptions> = { worker: true, concurrency: true, leaseMs: true, drainMs: true };
/** With a shorter lease, a process that is slow for a moment would lose what it does to another one, which does it again. */
const LEAST = { concurrency: 1, leaseMs: 1_000, drainMs: 0 };
const SUPPRESSION: MembersOf<SuppressionOptions> = { softBounces: true, withinMs: true };
const HUB: MembersOf<HubOptions> = { processor: true, onResult: true, worker: true, leaseMs: true, drainMs: true };

/**
 * Checks what a service is put together of, as far as the types of a host without TypeScript would not have, and what it
 * runs on; throws `CONFIGURATION`.
 */
export function checkOptions(options: object): void {
  checkRuntime();
  requireOptions("NotificationService", options, OPTIONS);
  const given = options as Readonly<Record<string, unknown>>;
  checkStorage(given.storage);
  checkChannels(given.channels);
  checkTypes(given.types, given.channels);
  if (given.categories !== undefined) {
    requireCategories(given.categories, (given.types ?? {}) as NotificationTypes);
  }
  checkLocale(given.locale);
  checkLinks(given);
  checkRole(given);
  checkWorker("delivery", given.delivery, DELIVERY);
  checkWorker("hub", given.hub, HUB);
  checkSuppression(given.suppression);
  checkContentCache(given.contentCacheBytes);
  requireLoggerAndClock(given);
  requireOption(given, "transport", ["start", "publish", "stop"]);
  requireOption(given, "ids", ["next"]);
  requireOption(given, "worker", ["open"]);
  requireOption(given, "tracing", ["run", "runNow"]);
  if (given.directory !== undefined && typeof given.directory !== "function") {
    throw wrong(`takes as directory a function of user ids that returns a Map of their contacts, got ${describe(given.directory)}`);
  }
  const { everyone } = (given.directory ?? {}) as { readonly everyone?: unknown };
  if (everyone !== undefined && typeof everyone !== "function") {
    throw wrong(`takes as everyone of a directory a function of a cursor that returns a page of users, got ${describe(everyone)}`);
  }
  const tenantIssue = given.defaultTenant === undefined ? null : textIssue(given.defaultTenant, [], NAME_RULE);
  if (tenantIssue !== null) {
    throw wrong(`cannot take this defaultTenant: ${tenantIssue.message}`);
  }
}

/** A storage that one process has to itself would keep what others leave to it from everybody. */
function checkRole({ role = "all", storage }: Readonly<Record<string, unknown>>): void {
  if (!(ROLES as readonly unknown[]).includes(role)) {
    throw wrong(`takes as role ${ROLES.join(", ")}; got ${shown(role)}`);
  }
  const { name, hasSingleProcess } = storage as Storage;
  if (role !== "all" && role !== "command" && hasSingleProcess) {
    throw wrong(
      `has the role ${shown(role)}, but one process does all the work on a ${name} storage; leave the role out, or use PostgreSQL`,
    );
  }
}

function checkSuppression(suppression: unknown): void {
  if (suppression === undefined) {
    return;
  }
  requireOptions("suppression", suppression, SUPPRESSION);
  const { softBounces, withinMs } = suppression as { readonly [Name in keyof SuppressionOptions]: unknown };
  for (const [name, value] of Object.entries({ softBounces, withinMs })) {
    if (value !== undefined && (!Number.isSafeInteger(value) || Number(value) < 1)) {
      throw wrong(`takes as suppression.${name} a whole number from 1, got ${shown(value)}`);
    }
  }
}

function checkContentCache(bytes: unknown): void {
  if (bytes !== undefined && (!Number.isSafeInteger(bytes) || Number(bytes) < 0)) {
    throw wrong(`takes as contentCacheBytes a whole number of bytes from 0, got ${shown(bytes)}`);
  }
}

function checkStorage(storage: unknown): void {
  if (!hasFunctions(storage, ["open", "close"])) {
    const got = storage === undefined ? "nothing" : describe(storage);
    throw wrong(`needs a storage, got ${got}; pass sqliteStorage("app.db") or postgresStorage(pool)`);
  }
  const { name, version } = storage as { readonly name?: unknown; readonly version?: unknown };
  if (version !== STORAGE_VERSION) {
    const isOlder = typeof version !== "number" || version < STORAGE_VERSION;
    const speaks = typeof version === "number" ? `version ${version}` : "no version";
    throw wrong(
      `got the storage ${JSON.stringify(name)}, which speaks ${speaks} of the storage interface, but this @belfry/core needs ` +
        `${STORAGE_VERSION}; update ${isOlder ? `the storage's package${packageOf(name)}` : "@belfry/core"}`,
    );
  }
}

/** Which package Belfry's own storages come from. */
function packageOf(name: unknown): string {
  return name === "sqlite" || name === "postgres" ? `, @belfry/storage-${name}` : "";
}

function checkChannels(channels: unknown): void {
  if (channels === undefined) {
    return;
  }
  if (!Array.isArray(channels)) {
    throw wrong(`takes channels as a list, got ${describe(channels)}; write channels: [email({ … })]`);
  }
  for (const [index, channel] of channels.entries()) {
    const isChannel =
      hasFunctions(channel, ["deliver", "invalidRecipient"]) && Array.isArray((channel as { retryDelaysMs?: unknown }).retryDelaysMs);
    const { name, timeoutMs, retryDelaysMs, takes = name, contents = [] } = (channel ?? {}) as Channel;
    if (
      !isChannel ||
      !Array.isArray(contents) ||
      ![name, takes].every((text) => typeof text === "string" && text !== "") ||
      ![timeoutMs, ...retryDelaysMs].every((ms) => Number.isFinite(ms) && ms >= 0)
    ) {
      throw wrong(`got as channel ${index} what is none: a channel has name, retryDelaysMs, timeoutMs, invalidRecipient() and deliver()`);
    }
  }
}

function checkTypes(types: unknown, channels: unknown): void {
  if (types === undefined) {
    return;
  }
  requireTypes(types);
  const byName = new Map(((channels ?? []) as readonly Channel[]).map((channel) => [channel.name, channel]));
  for (const [name, type] of Object.entries(types)) {
    for (const channel of channelsOfType(type) ?? []) {
      checkTypeChannel({ name, type, channel }, byName);
    }
  }
}

function checkTypeChannel(
  { name, type, channel }: { readonly name: string; readonly type: NotificationType; readonly channel: string },
  byName: ReadonlyMap<string, Channel>,
): void {
  const known = [INBOX_CHANNEL, ...byName.keys()];
  if (!known.includes(channel)) {
    throw wrong(`has no channel ${shown(channel)}, which the type ${shown(name)} names; its channels are ${known.join(", ")}`);
  }
  const taken = ["title", "message", "url", ...(byName.get(channel)?.contents ?? [])];
  const rules = rulesOfType(type, channel);
  const stranger = [...membersOf(rules), ...membersOf(rules.digest ?? {})].find((member) => !taken.includes(member));
  if (stranger !== undefined) {
    throw wrong(`cannot take ${stranger} of the type ${shown(name)}: the channel ${channel} takes ${taken.join(", ")}`);
  }
}

function checkLocale(locale: unknown): void {
  if (locale !== undefined && !isLocale(locale)) {
    throw wrong(`takes as locale a BCP 47 tag such as "en" or "pt-BR", got ${shown(locale)}`);
  }
}

const SECRET_LENGTH = 32;

function checkLinks({ publicUrl, linkSecret }: Readonly<Record<string, unknown>>): void {
  if (publicUrl !== undefined && !isAddress(publicUrl)) {
    throw wrong(`takes as publicUrl an address such as "https://example.com/x", without a query, got ${shown(publicUrl)}`);
  }
  const secrets: readonly unknown[] = Array.isArray(linkSecret) ? linkSecret : linkSecret === undefined ? [] : [linkSecret];
  const isNone = Array.isArray(linkSecret) && linkSecret.length === 0;
  const bad = secrets.findIndex((secret) => typeof secret !== "string" || secret.length < SECRET_LENGTH);
  if (isNone || bad >= 0) {
    const got = isNone ? "an empty list" : secretInWords(secrets[bad]);
    throw wrong(`takes as linkSecret a random text of at least ${SECRET_LENGTH} characters, or a list of such texts; got ${got}`);
  }
  if (secrets.length > 0 && publicUrl === undefined) {
    throw wrong('got a linkSecret without a publicUrl; name the address under which others reach it, such as "https://example.com"');
  }
  if (publicUrl !== undefined && secrets.length === 0) {
    throw wrong("got a publicUrl without a linkSecret, which signs the links below it; give both for links to unsubscribe, or none");
  }
}

/** Says what is wrong with a secret, without showing any of it. */
function secretInWords(secret: unknown): string {
  return typeof secret === "string" ? `one of ${secret.length} characters` : `a value of the type ${typeof secret}`;
}

function isAddress(value: unknown): boolean {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "" && url.username === "";
}

function checkWorker(part: "delivery" | "hub", options: unknown, known: Readonly<Record<string, true>>): void {
  if (options === undefined) {
    return;
  }
  requireOptions(part, options, known);
  const given = options as Readonly<Record<string, unknown>>;
  for (const [name, min] of Object.entries(LEAST)) {
    const value = given[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && Number(value) >= min)) {
      throw wrong(`takes ${part}.${name} as a whole number from ${min}, got ${shown(value)}`);
    }
  }
  if (given.worker !== undefined && typeof given.worker !== "boolean") {
    throw wrong(`takes ${part}.worker as true or false, got ${shown(given.worker)}`);
  }
  if (given.processor !== undefined && !hasFunctions(given.processor, ["process"])) {
    throw wrong(`takes as hub.processor an object with name, timeoutMs, concurrency and process(), got ${describe(given.processor)}`);
  }
  if (given.onResult !== undefined && typeof given.onResult !== "function") {
    throw wrong(`takes as hub.onResult a function, got ${describe(given.onResult)}`);
  }
}

function wrong(what: string): BelfryError {
  return new BelfryError("CONFIGURATION", `NotificationService ${what}.`);
}

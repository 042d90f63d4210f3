import { BelfryError } from "../foundation/errors.ts";
import { describe } from "../foundation/parse-text.ts";
import type { NotificationServiceOptions } from "./service-options.ts";
import { STORAGE_VERSION } from "./storage.ts";

/** The oldest Node that Belfry is tested on. */
const OLDEST_NODE = { major: 22, minor: 14 };

/** What a runtime says of itself in `process.versions`: Node, and runtimes that imitate it, have this. */
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

/** All options. A host without TypeScript gets an error for a misspelt one. */
const KNOWN = {
  storage: true,
  types: true,
  channels: true,
  directory: true,
  delivery: true,
  hub: true,
  retention: true,
  transport: true,
  logger: true,
  clock: true,
  ids: true,
  defaultTenant: true,
} satisfies Record<keyof NotificationServiceOptions, true>;

const DURATIONS = ["concurrency", "leaseMs", "drainMs"];

/**
 * Checks what a service is put together of, as far as the types of a host without TypeScript would not have, and what it
 * runs on; throws `CONFIGURATION`.
 */
export function checkOptions(options: object): void {
  checkRuntime();
  if (typeof options !== "object" || options === null) {
    throw wrong(`expects an object like { storage }, got ${describe(options)}`);
  }
  const given = options as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).filter((key) => !Object.hasOwn(KNOWN, key));
  if (unknown.length > 0) {
    throw wrong(`has no option ${JSON.stringify(unknown[0])}; its options are ${Object.keys(KNOWN).join(", ")}`);
  }
  checkStorage(given.storage);
  checkChannels(given.channels);
  checkTypes(given.types);
  for (const part of ["delivery", "hub"]) {
    checkDurations(part, given[part]);
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
    if (!isChannel) {
      throw wrong(`got as channel ${index} what is none: a channel has name, retryDelaysMs, timeoutMs, invalidRecipient() and deliver()`);
    }
  }
}

function checkTypes(types: unknown): void {
  for (const [name, type] of Object.entries((types ?? {}) as Readonly<Record<string, { readonly data?: unknown }>>)) {
    const schema = type?.data;
    const isSchema =
      schema === undefined || ((typeof schema === "object" || typeof schema === "function") && schema !== null && "~standard" in schema);
    if (!isSchema) {
      throw wrong(
        `got as data of the type "${name}" what is no Standard Schema; pass one of zod, valibot or arktype, such as z.object({ … })`,
      );
    }
  }
}

function checkDurations(part: string, options: unknown): void {
  for (const [name, value] of Object.entries((options ?? {}) as object)) {
    const isFine = typeof value === "number" && Number.isFinite(value) && value >= 0;
    if (DURATIONS.includes(name) && value !== undefined && !isFine) {
      throw wrong(`takes ${part}.${name} as a number from 0, got ${JSON.stringify(value) ?? describe(value)}`);
    }
  }
}

function hasFunctions(value: unknown, names: readonly string[]): boolean {
  return (
    typeof value === "object" && value !== null && names.every((name) => typeof (value as Record<string, unknown>)[name] === "function")
  );
}

function wrong(what: string): BelfryError {
  return new BelfryError("CONFIGURATION", `NotificationService ${what}.`);
}

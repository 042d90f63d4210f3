import type { Channel } from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { type MembersOf, requireOptions } from "../foundation/issue-list.ts";
import { describe, shown } from "../foundation/parse-text.ts";
import { ALARM_KINDS, type AlarmKind, type AlarmLines, type AlarmOptions } from "./alarm.ts";
import { isShare } from "./alarm-message.ts";

const MINUTE_MS = 60_000;
const MOST_TENANTS = 100;
const MOST_TARGETS = 10;

/** An address of a channel that is told. */
export interface AlarmTarget {
  readonly channel: Channel;
  readonly address: string;
}

/** Options of alarms, checked and whole. */
export interface AlarmSettings {
  readonly targets: readonly AlarmTarget[];
  readonly tenants: readonly string[];
  /** In whole milliseconds, or per mille; without those that are off. */
  readonly lines: ReadonlyMap<AlarmKind, number>;
  readonly windowMs: number;
  readonly minAttempts: number;
  readonly intervalMs: number;
}

const OPTIONS: MembersOf<AlarmOptions> = {
  ...{ to: true, tenants: true, oldestDueMs: true, failureRate: true, lagMs: true, workerLostMs: true },
  ...{ windowMs: true, minAttempts: true, intervalMs: true },
};

/** The numbers among the options, each with its least and its most. */
const NUMBERS = {
  oldestDueMs: [1, Number.MAX_SAFE_INTEGER],
  failureRate: [0, 1],
  lagMs: [1, Number.MAX_SAFE_INTEGER],
  workerLostMs: [30_000, Number.MAX_SAFE_INTEGER],
  windowMs: [MINUTE_MS, 60 * MINUTE_MS],
  minAttempts: [1, Number.MAX_SAFE_INTEGER],
  intervalMs: [5_000, 60 * MINUTE_MS],
} as const;

/** Which of them switch off a kind of alarm by null. */
const LINES: readonly string[] = ["oldestDueMs", "failureRate", "lagMs", "workerLostMs"];

/** Checks the options of alarms. @throws BelfryError `CONFIGURATION` */
export function parseAlarms(
  options: AlarmOptions,
  { channels, defaultTenant }: { readonly channels: ReadonlyMap<string, Channel>; readonly defaultTenant: string },
): AlarmSettings {
  requireOptions("alarms", options, OPTIONS);
  requireNumbers(options);
  const { to, tenants = [defaultTenant], windowMs = 5 * MINUTE_MS, minAttempts = 20, intervalMs = MINUTE_MS / 2 } = options;
  if (!Array.isArray(tenants) || tenants.length > MOST_TENANTS || tenants.some((name) => typeof name !== "string" || name === "")) {
    throw wrong(`takes as tenants a list of at most ${MOST_TENANTS} names`);
  }
  return {
    ...{
      targets: targetsOf(to, channels),
      tenants: [...new Set<string>(tenants)],
      lines: linesOf(options),
      windowMs,
      minAttempts,
      intervalMs,
    },
  };
}

function linesOf({
  oldestDueMs = 5 * MINUTE_MS,
  failureRate = 0.5,
  lagMs = 5 * MINUTE_MS,
  workerLostMs = MINUTE_MS,
}: AlarmLines): ReadonlyMap<AlarmKind, number> {
  const all: Readonly<Record<AlarmKind, number | null>> = {
    ...{ oldest_due: oldestDueMs, hub_oldest_due: oldestDueMs, digest_oldest_due: oldestDueMs },
    ...{ failure_rate: failureRate, hub_failure_rate: failureRate, lag: lagMs, worker_lost: workerLostMs },
  };
  const lines = new Map<AlarmKind, number>();
  for (const kind of ALARM_KINDS) {
    const line = all[kind];
    if (line !== null) {
      lines.set(kind, Math.round(isShare(kind) ? line * 1_000 : line));
    }
  }
  return lines;
}

function requireNumbers(options: AlarmOptions): void {
  for (const [name, [least, most]] of Object.entries(NUMBERS)) {
    const value: unknown = options[name as keyof typeof NUMBERS];
    const isOff = value === null && LINES.includes(name);
    if (value !== undefined && !isOff && !(typeof value === "number" && value >= least && value <= most)) {
      throw wrong(`takes as ${name} a number from ${least} to ${most}${LINES.includes(name) ? ", or null" : ""}; got ${shown(value)}`);
    }
  }
}

function targetsOf(to: unknown, channels: ReadonlyMap<string, Channel>): readonly AlarmTarget[] {
  const list: readonly unknown[] = Array.isArray(to) ? to : [to];
  const targets = list.flatMap((one) => {
    if (typeof one !== "object" || one === null) {
      throw wrong(`takes as to an address such as { webhook: "https://…" }, or a list of them; got ${describe(one)}`);
    }
    return Object.entries(one).map(([name, address]) => targetOf(name, address, channels));
  });
  if (targets.length === 0 || targets.length > MOST_TARGETS) {
    throw wrong(`needs 1 to ${MOST_TARGETS} addresses to tell`);
  }
  return targets;
}

function targetOf(name: string, address: unknown, channels: ReadonlyMap<string, Channel>): AlarmTarget {
  const channel = channels.get(name);
  if (channel === undefined) {
    throw wrong(`names the channel ${shown(name)}, which the service does not have; its channels are ${[...channels.keys()].join(", ")}`);
  }
  const problem = typeof address === "string" ? channel.invalidRecipient(address) : `is ${describe(address)}`;
  if (typeof address !== "string" || problem !== null) {
    throw wrong(`names an address for ${name} that ${problem}`);
  }
  return { channel, address };
}

function wrong(what: string): BelfryError {
  return new BelfryError("CONFIGURATION", `alarms ${what}.`);
}

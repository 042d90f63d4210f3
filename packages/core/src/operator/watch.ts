import type { ChannelHealth } from "./activity.ts";
import { type AlarmKind, type ChannelAlarmKind, NOTHING_ENDED, type StoredAlarm } from "./alarm.ts";
import type { OperatorContext } from "./context.ts";
import { failingTogether } from "./failing-together.ts";
import { type Heartbeat, latestBeat } from "./heartbeat.ts";
import type { AlarmSettings } from "./parse-alarms.ts";
import { MINUTE_MS, MOST_WAITING } from "./read-health.ts";

/** How many records of the hub are looked at. */
const MOST_RECORDS = 5_000;

type WatchContext = Pick<OperatorContext, "activity" | "health">;

/** What alarms look at. */
export interface Watch {
  readonly tenant: string;
  readonly settings: AlarmSettings;
  /** Those that are raised: what they are about has a value, too. */
  readonly raised: readonly StoredAlarm[];
  readonly now: Date;
  /** The heartbeats of this process. */
  readonly heartbeat: Pick<Heartbeat, "hasReachedSince">;
}

/** A value that has a line, in whole milliseconds or per mille. */
export interface WatchedValue {
  readonly kind: AlarmKind;
  readonly channel: string;
  /** Null if too little happened to say. Of a share, {@link NOTHING_ENDED} if nothing did, and nothing is to come. */
  readonly value: number | null;
}

/** Reads the values of a tenant's channels, hub and digests; for the first of the tenants, also those of workers. */
export async function watch(context: WatchContext, of: Watch): Promise<readonly WatchedValue[]> {
  const isFirst = of.settings.tenants[0] === of.tenant;
  const found = await Promise.all([
    ofChannels(context, of),
    ofHub(context, of),
    ofDigests(context, of),
    isFirst ? ofWorkers(context, of) : [],
  ]);
  return found.flat();
}

async function ofChannels({ activity }: WatchContext, { tenant, settings, raised, now }: Watch): Promise<readonly WatchedValue[]> {
  const { windowMs, minAttempts } = settings;
  const window = { from: beginOf(now, windowMs), bucketMs: windowMs + MINUTE_MS, buckets: 1, mostWaiting: MOST_WAITING };
  const read = async () => new Map((await activity.health(tenant, window, now)).map((health) => [health.channel, health]));
  const first = await read();
  const known = raised.filter(({ kind }) => CHANNEL_KINDS.some((one) => one === kind));
  const silent = known.filter(({ kind, channel }) => kind === "failure_rate" && isSilent(first.get(channel)));
  const running = await runningOf(activity, { tenant, channels: silent.map(({ channel }) => channel), now });
  // What ran while it was read first may have ended before it was looked for: then it is counted now.
  const channels = silent.length === 0 ? first : await read();
  const names = new Set([...channels.keys(), ...known.map(({ channel }) => channel)]);
  const inDoubt = [...channels.values()].filter((health) => failsInFew(health, minAttempts)).map(({ channel }) => channel);
  const together = await failingTogether(activity, { tenant, channels: inDoubt, from: window.from });
  return [...names].flatMap((channel) => {
    const judging = { now, minAttempts, isTogether: together.has(channel), isRunning: running.has(channel) };
    const values = valuesOf(channels.get(channel) ?? SILENT, judging);
    return CHANNEL_KINDS.map((kind) => ({ kind, channel, value: values[kind] }));
  });
}

/** Those of the channels over which an attempt is under way: it is neither counted nor does it wait. */
async function runningOf(activity: WatchContext["activity"], { tenant, channels, now }: Running): Promise<ReadonlySet<string>> {
  const counted = channels.map(async (channel) => ({
    channel,
    count: await activity.count(tenant, { channel, state: "running", at: now }, 1),
  }));
  return new Set((await Promise.all(counted)).filter(({ count }) => count > 0).map(({ channel }) => channel));
}

interface Running {
  readonly tenant: string;
  readonly channels: readonly string[];
  readonly now: Date;
}

const CHANNEL_KINDS: readonly ChannelAlarmKind[] = ["oldest_due", "failure_rate", "lag"];

type Figures = Pick<ChannelHealth, "succeeded" | "failed" | "lost" | "waiting">;
type WatchedHealth = Figures & Pick<ChannelHealth, "p95Ms" | "oldestDueAt">;

/** A channel over which nothing went out and nothing waits. */
const SILENT: WatchedHealth = {
  ...{ succeeded: 0, failed: 0, lost: 0, p95Ms: null, oldestDueAt: null },
  waiting: { scheduled: 0, due: 0, retrying: 0, held: 0 },
};

/** Whether nothing ended over a channel, and nothing waits for another attempt. */
function isSilent({ succeeded, failed, lost, waiting }: Figures = SILENT): boolean {
  return succeeded === 0 && failed === lost && waiting.retrying === 0;
}

interface Judging {
  readonly now: Date;
  readonly minAttempts: number;
  /** Whether attempts fail at several endpoints: see {@link failingTogether}. */
  readonly isTogether: boolean;
  /** Whether an attempt is under way, as far as that was asked. */
  readonly isRunning: boolean;
}

/** The values of a channel. One over which nothing went out and nothing waits has none that is bad. */
function valuesOf(health: WatchedHealth, judging: Judging): Readonly<Record<ChannelAlarmKind, number | null>> {
  const { now, minAttempts } = judging;
  const { succeeded, p95Ms, oldestDueAt } = health;
  return {
    oldest_due: since(oldestDueAt, now),
    failure_rate: channelFailureRate(health, judging),
    lag: succeeded >= minAttempts ? (p95Ms ?? 0) : succeeded === 0 ? 0 : null,
  };
}

/** Whether all attempts over a channel failed, and too few for a share: a dead mail server makes few in a small app, and so do recipients that are gone. */
function failsInFew({ succeeded, failed, lost }: Figures, minAttempts: number): boolean {
  return succeeded === 0 && failed > lost && failed - lost < minAttempts;
}

/**
 * Per mille; null if too little has ended to say. What was lost with its process says nothing of the channel. Nor does it say that a channel works if
 * nothing has ended while something waits for another attempt, or is attempted.
 */
function channelFailureRate(health: Figures, { minAttempts, isTogether, isRunning }: Omit<Judging, "now">): number | null {
  const { succeeded, lost, waiting } = health;
  const failed = health.failed - lost;
  if (succeeded === 0 && failed === 0) {
    return waiting.retrying > 0 || isRunning ? null : NOTHING_ENDED;
  }
  return failureRate({ succeeded, failed }, isTogether && failsInFew(health, minAttempts) ? 0 : minAttempts);
}

async function ofHub({ activity }: WatchContext, { tenant, settings, now }: Watch): Promise<readonly WatchedValue[]> {
  const { windowMs, minAttempts } = settings;
  const [{ oldestDueAt }, recent] = await Promise.all([
    activity.waitingRecords(tenant, now, MOST_RECORDS),
    activity.recentRecords(tenant, beginOf(now, windowMs), MOST_RECORDS),
  ]);
  const count = (status: (typeof recent)[number]["status"]) => recent.filter((record) => record.status === status).length;
  const rate = failureRate({ succeeded: count("COMPLETED"), failed: count("FAILED") }, minAttempts);
  return [
    { kind: "hub_oldest_due", channel: "hub", value: since(oldestDueAt, now) },
    { kind: "hub_failure_rate", channel: "hub", value: rate },
  ];
}

async function ofDigests({ activity }: WatchContext, { tenant, now }: Watch): Promise<readonly WatchedValue[]> {
  const { oldestDueAt } = await activity.waitingDigests(tenant, now, MOST_RECORDS);
  return [{ kind: "digest_oldest_due", channel: "digests", value: since(oldestDueAt, now) }];
}

/**
 * For how long every worker of each kind has said nothing: where another one lives, it does the work of one that was lost. Those that are forgotten are
 * missed no longer. While the database was away, or this process slept, all were silent: so none is missed until its own heartbeats have come through
 * for as long as a worker may be silent.
 */
async function ofWorkers({ health }: WatchContext, { settings, raised, now, heartbeat }: Watch): Promise<readonly WatchedValue[]> {
  const silenceMs = settings.lines.get("worker_lost") ?? 0;
  const isSure = heartbeat.hasReachedSince(now.getTime() - silenceMs);
  const silences = new Map((await health.lastSeen(latestBeat(now.getTime()))).map(({ name, seenAt }) => [name, since(seenAt, now)]));
  const known = raised.filter(({ kind }) => kind === "worker_lost").map(({ channel }) => channel);
  return [...new Set([...silences.keys(), ...known])].map((name) => {
    const value = silences.get(name) ?? 0;
    return { kind: "worker_lost", channel: name, value: isSure || value <= silenceMs ? value : null };
  });
}

/** Per mille; null if too few have ended to say. */
function failureRate({ succeeded, failed }: Pick<Figures, "succeeded" | "failed">, minAttempts: number): number | null {
  const all = succeeded + failed;
  if (all === 0) {
    return NOTHING_ENDED;
  }
  return all >= minAttempts ? Math.round((1_000 * failed) / all) : failed === 0 ? 0 : null;
}

function since(time: Date | null, now: Date): number {
  return time === null ? 0 : Math.max(0, now.getTime() - time.getTime());
}

/** The beginning of the minute in which a period began that ends now: attempts are counted by the minute. */
function beginOf(now: Date, windowMs: number): Date {
  const fromMs = now.getTime() - windowMs;
  return new Date(fromMs - (fromMs % MINUTE_MS));
}

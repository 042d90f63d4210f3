/** What an alarm of a channel is about. */
export type ChannelAlarmKind = "oldest_due" | "failure_rate" | "lag";

/**
 * What an alarm is about: `oldest_due`, for how long a delivery has been due; `failure_rate`, which share of attempts failed; `lag`, the time within which
 * 95 % of deliveries went out; `hub_oldest_due`, for how long a processing record has been due; `hub_failure_rate`, which share of records failed;
 * `digest_oldest_due`, for how long a digest has been due; `worker_lost`, for how long no worker of a kind has said anything, of which one did
 * not stop.
 */
export type AlarmKind = ChannelAlarmKind | "hub_oldest_due" | "hub_failure_rate" | "digest_oldest_due" | "worker_lost";

/** Every kind of alarm. */
export const ALARM_KINDS: readonly AlarmKind[] = [
  ...(["oldest_due", "failure_rate", "lag"] satisfies ChannelAlarmKind[]),
  ...(["hub_oldest_due", "hub_failure_rate", "digest_oldest_due", "worker_lost"] as const),
];

/**
 * A value of a channel, the hub, digests or workers that has crossed its line:
 *
 * ```
 * (none) or ended ──the value is above its line──> raised ──the value is at 80 % of its line, or below──> ended
 * ```
 */
export interface Alarm {
  readonly tenant: string;
  readonly kind: AlarmKind;
  /** The channel; else `hub`, `digests`, or of `worker_lost` what the worker works on. */
  readonly channel: string;
  readonly state: "raised" | "ended";
  /** The value when the state began: milliseconds, or for `failure_rate` and `hub_failure_rate` a share from 0 to 1. */
  readonly value: number;
  /** The line that it crossed, in the same unit. */
  readonly line: number;
  readonly raisedAt: Date;
  /** Null while it is raised. */
  readonly endedAt: Date | null;
}

/** The events of alarms, by name. They fire in the process that noticed, once over all processes. */
export interface AlarmEvents {
  "alarm.raised": Alarm;
  "alarm.ended": Alarm;
}

/** The lines of alarms; null for no alarm of that kind. */
export interface AlarmLines {
  /** For how long the oldest due delivery of a channel, processing record of the hub, or digest may be due, in milliseconds. @default 300_000 */
  readonly oldestDueMs?: number | null;
  /**
   * Which share of a channel's attempts may fail, and of the hub's processing records, from 0 to 1. Attempts that were lost with their process do not
   * count. @default 0.5
   */
  readonly failureRate?: number | null;
  /** Within which time 95 % of a channel's deliveries have to go out, from when each first could, in milliseconds. @default 300_000 */
  readonly lagMs?: number | null;
  /**
   * For how long the workers of all processes that do the same work may say nothing, in milliseconds, unless they stopped. A worker says every 10 seconds
   * that it lives. It ends once another one does the work. That is told for the first of the tenants. @default 60_000
   */
  readonly workerLostMs?: number | null;
}

/** Options of alarms. */
export interface AlarmOptions extends AlarmLines {
  /**
   * Who is told, as an address of a channel of the service: `{ webhook: "https://example.com/alarms" }`, or several. Better no address of a channel
   * that it is to be told about.
   */
  readonly to: Readonly<Record<string, string>> | readonly Readonly<Record<string, string>>[];
  /** The tenants whose channels are watched, at most 100. @default the service's default tenant */
  readonly tenants?: readonly string[];
  /** Over how long failures and lag count, in milliseconds, from 60_000 to 3_600_000. @default 300_000 */
  readonly windowMs?: number;
  /** From how many attempts in that time on they count. Where all attempts over a channel failed, 3 are enough that are tried again, to two recipients or
   * more. @default 20 */
  readonly minAttempts?: number;
  /** How often one of the processes looks, in milliseconds, at least 5_000. @default 30_000 */
  readonly intervalMs?: number;
}

/** Names an alarm: there is one of each kind for a channel. */
export type AlarmPlace = Pick<Alarm, "tenant" | "kind" | "channel">;

/** The stored value of a share of nothing: an alarm that ends with it ends since nothing happens any more. {@link Alarm.value} is 0 then. */
export const NOTHING_ENDED = -1;

/** An alarm as it is stored: its numbers are whole, milliseconds or per mille, or {@link NOTHING_ENDED}. */
export interface StoredAlarm extends Alarm {
  /** Another one for each state: the id of the message that tells of it. */
  readonly id: string;
}

/** A state of an alarm that begins. */
export interface AlarmChange extends AlarmPlace {
  readonly id: string;
  readonly value: number;
  readonly line: number;
  readonly at: Date;
}

/** The part of a storage that keeps alarms. Every method is one statement, so of several processes only one gets true. */
export interface AlarmStorage {
  /** Takes the turn to look at a tenant's channels, until `until`. False if another process has it still. */
  takeTurn(tenant: string, at: Date, until: Date): Promise<boolean>;
  /** Raises an alarm, which is then to be told. False if it is raised already. */
  raise(change: AlarmChange): Promise<boolean>;
  /** Ends an alarm, which is then to be told. False if it is not raised. */
  end(change: AlarmChange): Promise<boolean>;
  /** Returns the alarms of a tenant that are raised, by channel and kind. */
  raised(tenant: string): Promise<readonly StoredAlarm[]>;
  /**
   * Takes a state of an alarm, of any tenant, that is to be told, for `leaseMs`: the one that waits longest, and none that was taken `maxTimes` before.
   * Null for none.
   */
  takeUntold(at: Date, take: { readonly leaseMs: number; readonly maxTimes: number }): Promise<StoredAlarm | null>;
  /** Notes that a state was told. False if it has changed since. */
  told(id: string, at: Date): Promise<boolean>;
}

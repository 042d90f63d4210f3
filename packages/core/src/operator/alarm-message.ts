import type { DeliveryTask } from "../delivery/index.ts";
import { type Alarm, type AlarmKind, NOTHING_ENDED, type StoredAlarm } from "./alarm.ts";

/** The type of the notifications that tell of alarms. */
const TYPE = "belfry.alarm";

/** An alarm with its numbers in the units that people read: a share, or milliseconds. */
export function shownAlarm({ id: _, ...stored }: StoredAlarm): Alarm {
  const unit = isShare(stored.kind) ? 1_000 : 1;
  return { ...stored, value: Math.max(0, stored.value) / unit, line: stored.line / unit };
}

/** Whether the values of a kind are shares, which are stored per mille; others are milliseconds. */
export function isShare(kind: AlarmKind): boolean {
  return kind === "failure_rate" || kind === "hub_failure_rate";
}

/** The message that tells an address of an alarm. */
export function alarmTask(stored: StoredAlarm, address: string): DeliveryTask {
  const alarm = shownAlarm(stored);
  const { tenant, channel, kind, state, value, line, raisedAt, endedAt } = alarm;
  const times = { raisedAt: raisedAt.toISOString(), endedAt: endedAt?.toISOString() ?? null };
  return {
    ...{ id: stored.id, notificationId: stored.id, tenant, recipient: address, address, locale: "en", type: TYPE, attempt: 1 },
    ...{ roomId: null, digest: null, group: null, unread: null, url: null, contents: null, unsubscribeUrl: null, actions: null },
    priority: state === "raised" ? "urgent" : "normal",
    title: titleOf(alarm, stored.value === NOTHING_ENDED),
    message: messageOf(alarm),
    data: { alarm: kind, state, channel, tenant, value, line, ...times },
    isFallback: false,
    createdAt: endedAt ?? raisedAt,
  };
}

const TITLES: Readonly<Record<AlarmKind, Readonly<Record<Alarm["state"], (value: string) => string>>>> = {
  oldest_due: {
    raised: (value) => `a delivery has been due for ${value}`,
    ended: () => "deliveries go out in time again",
  },
  failure_rate: {
    raised: (value) => `${value} of attempts fail`,
    ended: (value) => `attempts go well again, ${value} fail`,
  },
  lag: {
    raised: (value) => `deliveries take ${value} to go out`,
    ended: (value) => `deliveries go out within ${value} again`,
  },
  hub_oldest_due: {
    raised: (value) => `an event has been due for ${value}`,
    ended: () => "events are processed in time again",
  },
  hub_failure_rate: {
    raised: (value) => `${value} of handlers fail`,
    ended: (value) => `handlers go well again, ${value} fail`,
  },
  digest_oldest_due: {
    raised: (value) => `a digest has been due for ${value}`,
    ended: () => "digests are rendered in time again",
  },
  worker_lost: {
    raised: (value) => `no worker has said anything for ${value}`,
    ended: () => "a worker does this work again",
  },
};

/** That an alarm ended since nothing happens any more says nothing good. */
const OF_NOTHING: Readonly<Partial<Record<AlarmKind, string>>> = {
  failure_rate: "nothing is attempted any more",
  hub_failure_rate: "nothing is handled any more",
};

function titleOf({ kind, state, channel, value }: Alarm, isOfNothing: boolean): string {
  const words = isOfNothing ? OF_NOTHING[kind] : undefined;
  return `${channel}: ${words ?? TITLES[kind][state](inWords(kind, value))}`;
}

function messageOf({ kind, tenant, line, raisedAt, endedAt }: Alarm): string {
  const since = `The line is ${inWords(kind, line)}; it was crossed at ${raisedAt.toISOString()}.`;
  return `${since} ${endedAt === null ? "" : `That ended at ${endedAt.toISOString()}. `}Tenant: ${tenant}.`;
}

const UNITS: readonly (readonly [ms: number, word: string])[] = [
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

function inWords(kind: AlarmKind, value: number): string {
  if (isShare(kind)) {
    return `${Math.round(value * 1_000) / 10} %`;
  }
  const [ms, word] = UNITS.find(([unit]) => value >= 2 * unit) ?? [1, "ms"];
  return `${Math.round(value / ms)} ${word}`;
}

import { type DeliveryOutcome, lackOfProvider } from "../delivery/index.ts";
import { DEFAULT_TENANT, type Emits } from "../foundation/context.ts";
import { textOf } from "../foundation/errors.ts";
import { Loop, type NextRun } from "../work/loop.ts";
import { Cancellation, withinTime } from "../work/timing.ts";
import type { AlarmChange, AlarmEvents, AlarmOptions, AlarmStorage, StoredAlarm } from "./alarm.ts";
import { alarmTask, shownAlarm } from "./alarm-message.ts";
import type { OperatorContext } from "./context.ts";
import { type AlarmSettings, type AlarmTarget, parseAlarms } from "./parse-alarms.ts";
import { type Watch, watch } from "./watch.ts";

/** An alarm ends once its value is no more than this part of its line: one that goes up and down around the line is told of once. */
const CALM = 0.8;
/** How long a message belongs to a process that says nothing; also how long it waits for another try. */
const LEASE_MS = 60_000;
/** How often a message is tried. */
const MOST_TIMES = 10;
/** The turn is over a little before the next look, so that the process that looks regularly gets it. */
const TURN = 0.9;

/** The parts that alarms use. */
export interface AlarmContext extends Pick<OperatorContext, "activity" | "channels" | "clock" | "health" | "ids" | "logger" | "ready"> {
  readonly alarms: AlarmStorage;
  readonly events: Emits<AlarmEvents>;
}

/** The options of a service that alarms go by. */
export interface AlarmsOfService {
  readonly alarms?: AlarmOptions;
  readonly defaultTenant?: string;
}

/** Watches channels, the hub, digests and workers, and tells when a value crosses its line, and when that is over: once over all processes. */
export class Alarms {
  /** The background loop. It looks from time to time; without the option, never. */
  readonly loop: Loop;
  readonly #context: AlarmContext;
  readonly #heartbeat: Watch["heartbeat"];

  /** @throws BelfryError `CONFIGURATION` for options that are not valid */
  constructor(context: AlarmContext, heartbeat: Watch["heartbeat"], { alarms, defaultTenant = DEFAULT_TENANT }: AlarmsOfService) {
    this.#context = context;
    this.#heartbeat = heartbeat;
    const settings = alarms === undefined ? null : parseAlarms(alarms, { channels: context.channels, defaultTenant });
    const { clock, logger } = context;
    this.loop = new Loop({ task: "look for alarms", run: () => (settings === null ? null : this.#run(settings)), clock, logger });
  }

  async #run(settings: AlarmSettings): Promise<NextRun> {
    await this.#context.ready();
    const { alarms, clock } = this.#context;
    for (const tenant of settings.tenants) {
      const nowMs = clock.now();
      const until = new Date(nowMs + settings.intervalMs * TURN);
      if (!this.loop.isStopping && (await alarms.takeTurn(tenant, new Date(nowMs), until))) {
        await this.#look(tenant, settings);
      }
    }
    await this.#tellAll(settings);
    return { dueInMs: null, lookInMs: settings.intervalMs };
  }

  async #look(tenant: string, settings: AlarmSettings): Promise<void> {
    const now = new Date(this.#context.clock.now());
    const raised = await this.#context.alarms.raised(tenant);
    const of = { tenant, settings, raised, now, heartbeat: this.#heartbeat };
    for (const { kind, channel, value } of await watch(this.#context, of)) {
      const before = raised.find((one) => one.channel === channel && one.kind === kind);
      await this.#compare({ tenant, channel, kind, line: settings.lines.get(kind) ?? null, value, before, at: now });
    }
  }

  async #compare({ line, value, before, ...place }: Compared): Promise<void> {
    if (before !== undefined && (line === null || (value !== null && value <= line * CALM))) {
      await this.#change("ended", { ...place, value: value ?? before.value, line: before.line }, before);
    } else if (before === undefined && line !== null && value !== null && value > line) {
      await this.#change("raised", { ...place, value, line });
    }
  }

  async #change(state: "raised" | "ended", change: Omit<AlarmChange, "id">, before?: StoredAlarm): Promise<void> {
    const { alarms, events, ids } = this.#context;
    const whole = { ...change, id: ids.next() };
    if (await (state === "raised" ? alarms.raise(whole) : alarms.end(whole))) {
      const { at, ...place } = whole;
      const times = { raisedAt: before?.raisedAt ?? at, endedAt: state === "ended" ? at : null };
      events.emit(`alarm.${state}`, shownAlarm({ ...place, state, ...times }));
    }
  }

  async #tellAll(settings: AlarmSettings): Promise<void> {
    const { alarms, clock } = this.#context;
    while (!this.loop.isStopping) {
      const alarm = await alarms.takeUntold(new Date(clock.now()), { leaseMs: LEASE_MS, maxTimes: MOST_TIMES });
      if (alarm === null) {
        return;
      }
      const taken = await Promise.all(settings.targets.map((target) => this.#tell(alarm, target)));
      if (taken.every((isTaken) => isTaken)) {
        await alarms.told(alarm.id, new Date(clock.now()));
      }
    }
  }

  /** Hands a message to a channel at once: it must not wait behind what it tells of. Returns whether the channel took it. */
  async #tell(alarm: StoredAlarm, { channel, address }: AlarmTarget): Promise<boolean> {
    const { clock, logger } = this.#context;
    const limit = { timeoutMs: channel.timeoutMs, clock, cancellation: new Cancellation() };
    const deliver = (ends: AbortSignal) => channel.deliver(alarmTask(alarm, address), ends);
    const error = lackOfProvider(channel, alarm.tenant) ?? (await withinTime(deliver, limit).then(errorOf, textOf));
    if (error !== null) {
      logger.warn(
        { channel: channel.name, error, alarm: alarm.kind, of: alarm.channel },
        "Belfry could not tell of an alarm. It tries again.",
      );
    }
    return error === null;
  }
}

interface Compared extends Omit<AlarmChange, "id" | "value" | "line"> {
  readonly line: number | null;
  /** Null if too little happened to say. */
  readonly value: number | null;
  /** The alarm, if it is raised. */
  readonly before: StoredAlarm | undefined;
}

function errorOf(outcome: DeliveryOutcome): string | null {
  return outcome.status === "failed" ? outcome.error : null;
}

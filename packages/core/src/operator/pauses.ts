import {
  type Acting,
  actorOf,
  type NewAuditEntry,
  NO_NOTIFICATION,
  type Pause,
  type PausedPlace,
  type StoredPause,
  shownPause,
} from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { type ChecksOf, requireInput, validationError } from "../foundation/issue-list.ts";
import { NAME_RULE, shown, text } from "../foundation/parse-text.ts";
import type { OperatorContext } from "./context.ts";

/** The most pauses of a tenant. Each attempt is held against all of them. */
const MAX_PAUSES = 100;

/** What to resume: a channel, one endpoint of it, or, with neither, every channel. */
export interface ResumeInput extends Acting {
  /** @default every channel */
  readonly channel?: string;
  /** The recipient as senders name it; it needs a channel. @default all */
  readonly recipient?: string;
}

/** What to pause: a channel, one endpoint of it, or, with neither, every channel. */
export interface PauseInput extends ResumeInput {
  /** More about why, for the people who see it, up to 1,000 characters. @default none */
  readonly detail?: string;
}

const RESUMED: ChecksOf<ResumeInput> = {
  channel: text(NAME_RULE),
  recipient: text({ minLength: 1, maxLength: 4_096 }),
  actor: text(NAME_RULE),
};
const PAUSED: ChecksOf<PauseInput> = { ...RESUMED, detail: text({ maxLength: 1_000 }) };

/**
 * Pauses of a tenant: `notifications.operator.pauses`. A pause is stored, and every process keeps it about a second later: what is paused goes out
 * nowhere; an attempt that is under way ends. It waits as `held`, and nothing of it is lost. Once it is resumed, the oldest goes out first. The
 * inbox is in your own database, and is never paused: items are there at once, and clients see them.
 *
 * @example
 * ```ts
 * const endpoint = { channel: "webhook", recipient: "https://example.com/hook" };
 * await notifications.operator.pauses.pause({ ...endpoint, detail: "They move to another host.", actor: "ann" });
 * await notifications.operator.pauses.resume({ ...endpoint, actor: "ann" }); // true
 * ```
 */
export class Pauses {
  readonly #tenant: string;
  readonly #context: OperatorContext;

  /** Hosts do not call this. They use `notifications.operator.pauses`. */
  constructor(tenant: string, context: OperatorContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /** Returns what is paused, by channel and recipient; a pause of everything comes first. */
  async list(): Promise<readonly Pause[]> {
    using _call = await this.#context.ready();
    return (await this.#stored()).map(shownPause);
  }

  /**
   * Pauses a channel, one endpoint of it, or every channel of the tenant. What is paused already stays so as it was. The audit log has a line.
   *
   * @returns the pause as it is now
   * @throws BelfryError `VALIDATION_ERROR` for a place that cannot be; `CHANNEL_NOT_CONFIGURED`, which names the channels there are;
   *   `INVALID_STATE` if 100 places are paused
   */
  async pause(input: PauseInput = {}): Promise<Pause> {
    requireInput("pauses.pause", input, PAUSED);
    const place = placeOf(input);
    this.#requireChannel(place);
    using _call = await this.#context.ready();
    const { holds, clock, pauses, tellOfPauses, events } = this.#context;
    const known = await this.#stored();
    const before = known.find((pause) => isSame(pause, place));
    if (before !== undefined) {
      return shownPause(before);
    }
    if (known.length >= MAX_PAUSES) {
      throw new BelfryError("INVALID_STATE", `${MAX_PAUSES} places are paused. Resume some, or pause their channel.`);
    }
    const pause = { ...place, actor: actorOf(input), detail: input.detail ?? null, pausedAt: new Date(clock.now()) };
    if (await holds.pause(this.#tenant, pause)) {
      pauses.changed();
      tellOfPauses();
      await this.#note("paused", pause.actor, place);
      events.emit("pause.started", { ...pause, tenant: this.#tenant });
    }
    return pause;
  }

  /**
   * Lets go out again, the oldest first, what was paused at this very place; another pause that covers it still holds it back. It may be repeated. The
   * audit log has a line.
   *
   * @returns whether it was paused
   * @throws BelfryError `VALIDATION_ERROR` for a place that cannot be
   */
  async resume(input: ResumeInput = {}): Promise<boolean> {
    requireInput("pauses.resume", input, RESUMED);
    const place = placeOf(input);
    using _call = await this.#context.ready();
    const { holds, clock, pauses, tellOfPauses, events, goOnRetrying } = this.#context;
    const before = (await this.#stored()).find((pause) => isSame(pause, place));
    if (before === undefined || !(await holds.resume(this.#tenant, place, new Date(clock.now())))) {
      return false;
    }
    pauses.changed();
    tellOfPauses();
    await this.#note("resumed", actorOf(input), place);
    events.emit("pause.ended", { ...shownPause(before), tenant: this.#tenant });
    goOnRetrying();
    return true;
  }

  async #stored(): Promise<readonly StoredPause[]> {
    const all = await this.#context.holds.pauses();
    return all.filter(({ tenant, resumedAt }) => tenant === this.#tenant && resumedAt === null);
  }

  /** A channel that nobody has would be paused without any effect. */
  #requireChannel({ channel }: PausedPlace): void {
    const { channels } = this.#context;
    if (channel !== null && !channels.has(channel)) {
      const known = channels.size === 0 ? "none" : [...channels.keys()].join(", ");
      const message = `There is no channel ${shown(channel)} to pause. The service's channels that can be paused are: ${known}.`;
      throw new BelfryError("CHANNEL_NOT_CONFIGURED", message, { details: { channel } });
    }
  }

  async #note(action: "paused" | "resumed", actor: string, place: PausedPlace): Promise<void> {
    const { activity, clock } = this.#context;
    await activity.note(this.#tenant, { action, actor, notificationId: NO_NOTIFICATION, ...targetOf(place) }, new Date(clock.now()));
  }
}

function placeOf({ channel, recipient }: ResumeInput): PausedPlace {
  if (recipient !== undefined && channel === undefined) {
    throw validationError([{ path: ["channel"], type: "value_error", message: "must be given together with a recipient" }]);
  }
  return { channel: channel ?? null, recipient: recipient ?? null };
}

/** What the audit log says of a place: of an endpoint only its channel, because the log never has addresses. */
function targetOf({ channel, recipient }: PausedPlace): Pick<NewAuditEntry, "targetKind" | "targetId" | "details"> {
  if (channel === null) {
    return { details: "every channel" };
  }
  return recipient === null ? { targetKind: "channel", targetId: channel } : { targetKind: "address", details: channel };
}

function isSame(one: PausedPlace, other: PausedPlace): boolean {
  return one.channel === other.channel && one.recipient === other.recipient;
}

import { type DigestTime, type QuietHours, quietUntil } from "./local-time.ts";

/** When somebody wants to be left alone, and when digests come. What is null was not set. */
export interface Settings {
  /** An IANA time zone. */
  readonly timeZone: string | null;
  readonly quietHours: readonly QuietHours[] | null;
  /** Nothing is delivered before this time. */
  readonly pauseUntil: Date | null;
  /** When digests of a day and of a week come. */
  readonly digest: DigestSettings | null;
}

/** When digests of a day and of a week come, in the user's time zone. */
export type DigestSettings = Omit<DigestTime, "timeZone">;

/** When digests come if nobody said otherwise. */
export const DEFAULT_DIGEST: DigestSettings = { at: "09:00", weekday: "mon" };

/** The settings that count for one user: the user's own, and where there are none, the tenant's. */
export class UserSettings {
  readonly #user: Settings | null;
  readonly #tenant: Settings | null;

  constructor({ user, tenant }: { readonly user: Settings | null; readonly tenant: Settings | null }) {
    this.#user = user;
    this.#tenant = tenant;
  }

  /** Whether the user set a time zone: then nobody else's counts. */
  get hasTimeZone(): boolean {
    return this.#user !== null && this.#user.timeZone !== null;
  }

  /** The user's time zone: their own, else the one of the host's directory, else the tenant's, else UTC. */
  timeZone(ofDirectory: string | null): string {
    return this.#user?.timeZone ?? ofDirectory ?? this.#tenant?.timeZone ?? "UTC";
  }

  /** When the user's pause ends, in milliseconds since 1970; null for none. A pause is over at that time. */
  get pauseUntil(): number | null {
    return this.#user?.pauseUntil?.getTime() ?? null;
  }

  /** When digests come, in the time zone that {@link timeZone} returned. */
  digestTime(timeZone: string): DigestTime {
    return { ...(this.#user?.digest ?? this.#tenant?.digest ?? DEFAULT_DIGEST), timeZone };
  }

  /**
   * Returns when the quiet hours of a channel end that `at` lies in, or null if it lies in none. A pause is quiet hours that have
   * begun. Both are meant for all channels but the inbox; quiet hours may name their channels.
   *
   * @param timeZone the one that {@link timeZone} returned
   */
  quietUntil(at: number, { channel, timeZone }: { readonly channel: string; readonly timeZone: string }): number | null {
    const spans = (this.#user?.quietHours ?? this.#tenant?.quietHours ?? []).filter(({ channels }) => isMeant(channels, channel));
    const pauseUntil = channel === "inbox" ? at : Math.max(this.pauseUntil ?? at, at);
    const until = spans.length === 0 ? null : quietUntil(spans, pauseUntil, { timeZone });
    return until ?? (pauseUntil > at ? pauseUntil : null);
  }
}

function isMeant(channels: readonly string[] | undefined, channel: string): boolean {
  return channels === undefined ? channel !== "inbox" : channels.includes(channel);
}

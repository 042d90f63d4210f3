import { nextDigest, type UserSettings } from "../decisions/index.ts";
import type { Owner } from "../foundation/context.ts";
import { Cancellation, withinTime } from "../work/timing.ts";
import { Addresses } from "./addresses.ts";
import type { DeliveryContext } from "./context.ts";
import type { EntryPlan } from "./digest.ts";

/** How long the directory may take to say where a user lives. */
const LOOK_UP_MS = 5_000;

/** When a digest of a frequency closes that opens at a time; null for one without. */
export function closingOf(
  { frequency }: Pick<EntryPlan, "frequency">,
  settings: UserSettings,
  { zone, atMs }: { readonly zone: string | null; readonly atMs: number },
): number | null {
  return frequency === null ? null : nextDigest(frequency, atMs, settings.digestTime(settings.timeZone(zone)));
}

/** What the host's directory says of a user and a channel. */
export interface UserReach {
  /** Null for none, and where the directory is not asked. */
  readonly timeZone: string | null;
  /** Whether there is an address, as far as can be said before the delivery. */
  readonly address: "known" | "none";
}

/** Of somebody about whom the directory is not asked. */
export const UNKNOWN: UserReach = { timeZone: null, address: "known" };

/** Asks the host's directory about users whose digests close. */
export class DigestReach {
  readonly #context: Pick<DeliveryContext, "channels" | "clock">;
  readonly #addresses: Addresses;

  constructor(context: DeliveryContext) {
    this.#context = context;
    this.#addresses = new Addresses(context);
  }

  /** Rejects if the directory fails, and may answer later. */
  async of({ tenant, userId, channel: name }: Owner & { readonly channel: string }): Promise<UserReach> {
    const { channels, clock } = this.#context;
    const channel = channels.get(name);
    if (channel === undefined) {
      return UNKNOWN;
    }
    const limit = { clock, timeoutMs: LOOK_UP_MS, cancellation: new Cancellation() };
    const reached = await withinTime(async () => this.#addresses.of({ tenant, recipient: userId }, channel), limit);
    if ("outcome" in reached) {
      return { timeZone: null, address: "none" };
    }
    if ("status" in reached && reached.transient) {
      throw new Error(reached.error);
    }
    return "status" in reached ? UNKNOWN : { timeZone: reached.timeZone, address: "known" };
  }
}

import { INBOX_CHANNEL } from "../notifications/index.ts";
import type { Delivery } from "./delivery.ts";

/** What is paused in a tenant: a channel, one endpoint of it, or, with neither, every channel. */
export interface PausedPlace {
  /** Null for every channel. */
  readonly channel: string | null;
  /** The recipient as senders name it: a user, an address, a URL; null for all. */
  readonly recipient: string | null;
}

/** A pause: nothing goes out there until it is resumed. */
export interface Pause extends PausedPlace {
  /** Who paused it, as the host names them. */
  readonly actor: string;
  /** More about why; null for none. */
  readonly detail: string | null;
  readonly pausedAt: Date;
}

/** A pause that began, or ended. */
export interface PauseChanged extends Pause {
  readonly tenant: string;
}

/** The events of pauses, by name. */
export interface PauseEvents {
  "pause.started": PauseChanged;
  /** What it held back goes out again, unless another pause covers it. */
  "pause.ended": PauseChanged;
}

/** A pause as it is stored. */
export interface StoredPause extends PauseChanged {
  /** When it was resumed: what it held back is being released. Null while it lasts. */
  readonly resumedAt: Date | null;
}

/** The source of the decision to hold a delivery back that a pause covers. No other decision has it: storages find such deliveries by it. */
export const BY_OPERATOR = "operator";

/** Whether a pause covers a delivery. The inbox is in the host's own database, and is never paused. */
export function covers(pause: StoredPause, { tenant, channel, recipient }: Pick<Delivery, "tenant" | "channel" | "recipient">): boolean {
  return (
    pause.tenant === tenant &&
    channel !== INBOX_CHANNEL &&
    (pause.channel === null || pause.channel === channel) &&
    (pause.recipient === null || pause.recipient === recipient)
  );
}

/** A pause as people see it, who know their tenant. */
export function shownPause({ channel, recipient, actor, detail, pausedAt }: StoredPause): Pause {
  return { channel, recipient, actor, detail, pausedAt };
}

import type { Pause, PausedPlace } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { dateTime } from "../state/format.ts";

/** The name of what is paused. */
export function placeWords({ channel, recipient }: PausedPlace): string {
  if (channel === null) {
    return "every channel";
  }
  return recipient === null ? `the channel ${channel}` : `${channel} to ${recipient}`;
}

/** A place as the API takes it. */
export function placeBody({ channel, recipient }: PausedPlace): { readonly channel?: string; readonly recipient?: string } {
  return { ...(channel !== null && { channel }), ...(recipient !== null && { recipient }) };
}

/** What is paused, by whom, since when and why. */
export function pauseWords(pause: Json<Pause>): string {
  const facts = `${placeWords(pause)}, by ${pause.actor}, ${dateTime(pause.pausedAt)}`;
  return pause.detail === null ? facts : `${facts}: ${pause.detail}`;
}

import type { ActivitySummary, DeliveryStanding, HeldBy } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { counted } from "../state/format.ts";
import { Time } from "./time.tsx";

/** How good or bad something is. It sets the colour beside a word that says the same. */
export type Tone = "good" | "bad" | "warn" | "info" | "neutral";

const STATUS_TONES: Readonly<Record<string, Tone>> = {
  delivered: "good",
  completed: "good",
  sent: "info",
  pending: "warn",
  waiting: "neutral",
  failed: "bad",
  partial: "warn",
  skipped: "neutral",
  cancelled: "neutral",
  unknown: "warn",
  scheduled: "neutral",
  due: "warn",
  running: "info",
  retrying: "warn",
  held: "warn",
};

/** The tone of a status of a send, a delivery or an attempt. */
export function toneOf(status: string): Tone {
  return STATUS_TONES[status] ?? "neutral";
}

/** A status in a word. */
export function Status({ status }: { readonly status: string }) {
  return <span class={`tag ${toneOf(status)}`}>{status}</span>;
}

const KINDS = { message: "message", send: "send", event: "event" } as const;

type Standing = Json<DeliveryStanding>;

/** A send's status, with what is pending told apart; for messages and events, their kind. */
export function SummaryStatus({ summary: { kind, status, standing } }: { readonly summary: Json<ActivitySummary> }) {
  if (status === null) {
    return <span class="tag neutral">{KINDS[kind]}</span>;
  }
  return status === "pending" && standing !== null ? (
    <span class={`tag ${toneOf(standing.state)}`}>{stateWords(standing)}</span>
  ) : (
    <Status status={status} />
  );
}

/** A state in a word or two. */
export function stateWords({ state }: Pick<Standing, "state">): string {
  return state === "held" ? "held back" : state;
}

const HELD_BY: Readonly<Record<HeldBy, string>> = {
  endpoint: "its endpoint rests",
  quiet_hours: "quiet hours of the user",
  paused: "paused",
};

/** What holds a delivery back, in words. */
export function heldWords({ heldBy, failures }: Standing): string | null {
  if (heldBy === null) {
    return null;
  }
  return failures === 0 ? HELD_BY[heldBy] : `${HELD_BY[heldBy]} after ${counted(failures, "failure")} in a row`;
}

/** When what is left of a send goes on, and what holds it back. */
export function StandingNote({ standing }: { readonly standing: Standing }) {
  const held = heldWords(standing);
  if (standing.until === null && held === null) {
    return null;
  }
  return (
    <>
      {standing.until === null ? null : (
        <>
          {held === null ? "" : "until "}
          <Time date={standing.until} />
        </>
      )}
      {held === null ? "" : `${standing.until === null ? "" : ": "}${held}`}
    </>
  );
}

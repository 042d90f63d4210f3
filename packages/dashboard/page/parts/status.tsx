import type { ActivitySummary } from "@belfry/core";
import type { Json } from "../../src/wire.ts";

/** How good or bad something is. It sets the colour beside a word that says the same. */
export type Tone = "good" | "bad" | "warn" | "info" | "neutral";

const STATUS_TONES: Readonly<Record<string, Tone>> = {
  delivered: "good",
  sent: "info",
  pending: "warn",
  waiting: "neutral",
  failed: "bad",
  partial: "warn",
  skipped: "neutral",
  cancelled: "neutral",
  unknown: "warn",
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

/** A send's status; for messages and events, their kind. */
export function SummaryStatus({ summary }: { readonly summary: Json<ActivitySummary> }) {
  return summary.status === null ? <span class="tag neutral">{KINDS[summary.kind]}</span> : <Status status={summary.status} />;
}

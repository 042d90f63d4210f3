import type { Activity, ActivityDelivery, AttemptExchange, DeliveryAttempt, DeliveryReason, ProcessingRecord } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { pauseWords } from "../endpoints/pause-words.ts";
import { heldWords, type Tone, toneOf } from "../parts/status.tsx";
import { counted, dateTime, duration } from "../state/format.ts";
import { type Sentence, sentence } from "./words.tsx";

/** One thing that happened to a notification, or is about to. */
export interface Step {
  readonly key: string;
  /** When it happened; null if it waits for something other than a time. */
  readonly at: string | null;
  readonly tone: Tone;
  readonly text: Sentence;
  /** More facts, as pairs of a name and a value. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Whether its facts are shown only when a reader asks: it went well. */
  readonly isFolded: boolean;
  /** What an attempt over HTTP sent and got; null for none. */
  readonly exchange: Json<AttemptExchange> | null;
  readonly isAhead: boolean;
}

type Delivery = Json<ActivityDelivery>;
type Attempt = Json<DeliveryAttempt>;

/** A settlement this close to the end of an attempt belongs to that attempt. */
const SAME_MS = 1_000;

/** So many deliveries have steps of their own; more of them have a list. */
export const MOST_DELIVERIES = 20;

/** Whether a notification has so many deliveries that they are listed page by page. */
export function isMany({ deliveries }: Pick<Json<Activity>, "deliveries">): boolean {
  return deliveries.length > MOST_DELIVERIES;
}

/** Everything that happened, oldest first; steps that are still ahead come last. */
export function stepsOf(activity: Json<Activity>): readonly Step[] {
  const steps = [
    created(activity),
    ...(isMany(activity) ? [] : activity.deliveries.flatMap(deliverySteps)),
    ...(activity.itemCount > MOST_DELIVERIES ? [] : activity.items).flatMap(({ userId, readAt }) =>
      readAt === null ? [] : [step({ key: `read ${userId}`, at: readAt, tone: "good", text: sentence`Read by ${userId}` })],
    ),
    ...activity.records.map(recordStep),
    ...activity.audit
      .filter(({ action }) => action !== "created")
      .map(({ number, action, actor, at }) =>
        step({ key: `audit ${number}`, at, tone: "neutral", text: sentence`${AUDIT_WORDS[action] ?? action} by ${actor}` }),
      ),
  ];
  return steps.sort((one, other) => order(one) - order(other));
}

const AUDIT_WORDS: Readonly<Record<string, string>> = {
  updated: "Changed",
  cancelled: "Cancelled",
  retried: "Retry asked for",
  deleted: "Deleted",
  read: "Marked as read",
};

function order({ at, isAhead }: Step): number {
  const time = at === null ? Number.MAX_SAFE_INTEGER / 2 : new Date(at).getTime();
  return isAhead ? time + 1e14 : time;
}

function step(parts: Pick<Step, "key" | "at" | "tone" | "text">): Step {
  return { facts: [], isFolded: false, exchange: null, isAhead: false, ...parts };
}

function created({ summary, send, itemCount, audit }: Json<Activity>): Step {
  const by = audit.find(({ action }) => action === "created")?.actor;
  const made = { message: "Created", send: "Sent", event: "Received" }[summary.kind];
  const count = summary.kind === "message" ? itemCount : summary.recipientCount;
  const facts: (readonly [string, string])[] = [];
  if (summary.isForEveryone) {
    facts.push(["For", "everyone"]);
  } else if (count > 0) {
    facts.push(["For", counted(count, "recipient")]);
  }
  if (send?.scheduledAt) {
    facts.push(["Scheduled", dateTime(send.scheduledAt)]);
  }
  return {
    ...step({
      key: "created",
      at: summary.createdAt,
      tone: "info",
      text: by === undefined ? sentence`${made}` : sentence`${made} by ${by}`,
    }),
    facts,
  };
}

function deliverySteps(delivery: Delivery): readonly Step[] {
  return [...attemptSteps(delivery), ...settlement(delivery), ...ahead(delivery)];
}

function way({ channel, isFallback }: Delivery): string {
  return isFallback ? `fallback ${channel}` : channel;
}

function attemptStep(delivery: Delivery, attempt: Attempt): Step {
  const tookMs = new Date(attempt.finishedAt).getTime() - new Date(attempt.startedAt).getTime();
  const facts: (readonly [string, string | null])[] = [
    ["Took", duration(Math.max(0, tookMs))],
    ["Provider", attempt.provider || null],
    ["Answer", attempt.response],
    ["Error", attempt.error],
    ["Message id", attempt.messageId],
    ["Note", attempt.note],
    ["Then", attempt.status === "failed" ? (attempt.isTransient ? "may be tried again" : "not tried again") : null],
  ];
  if (delivery.digest !== null) {
    facts.push(...digestFacts(delivery.digest));
  }
  return {
    ...step({
      key: `${delivery.id} ${attempt.attempt}`,
      at: attempt.finishedAt,
      tone: toneOf(attempt.status),
      text: sentence`Attempt ${attempt.attempt}, ${way(delivery)} to ${delivery.recipient}: ${attempt.status}`,
    }),
    facts: facts.filter((fact): fact is [string, string] => fact[1] !== null),
    isFolded: attempt.status === "sent" || attempt.status === "delivered",
    exchange: attempt.exchange,
  };
}

/** The attempts of a delivery, oldest first. */
export function attemptSteps(delivery: Delivery): readonly Step[] {
  return delivery.attempts.map((attempt) => attemptStep(delivery, attempt));
}

/** The reasons of deliveries, in words. */
export const REASONS: Readonly<Record<DeliveryReason, string>> = {
  offline: "the user was not connected",
  no_ack: "nobody acknowledged it in time",
  bounced: "its provider gave it back",
  expired: "it had expired",
  no_address: "the user has no address there",
  suppressed: "the address is suppressed",
  preference: "it is switched off",
  read: "the user had read it",
  online: "the user was connected",
  condition: "the condition of its type did not hold",
  same_address: "another delivery of this notification reaches the same address",
  throttled: "the user had got as many as its type allows",
  digest: "it waits for its digest",
  bundled: "it goes out in a digest",
  quiet_hours: "these are quiet hours of the user",
  paused: "an operator paused where it goes",
};

/** Why a delivery is as it is, and whose decision that was. */
function because({ reason, reasonSource, digest }: Delivery): Step["facts"] {
  const facts: (readonly [string, string | null])[] = [
    ["Because", reason === null ? null : REASONS[reason]],
    ["Decided by", reasonSource],
    ...(digest === null ? [] : digestFacts(digest)),
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== null);
}

function digestFacts({
  plan,
  openedAt,
  closesAt,
  renderedAt,
  total,
}: NonNullable<Delivery["digest"]>): readonly (readonly [string, string | null])[] {
  return [
    [
      "Digest",
      plan.by === "type"
        ? [plan.frequency, `of the type ${plan.name}`].filter((part) => part !== null).join(", ")
        : `${plan.frequency}, chosen for ${[plan.scope, plan.name].join(" ").trim()}`,
    ],
    ["Digest key", plan.key || null],
    ["Window", `from ${dateTime(openedAt)} to ${dateTime(closesAt)}`],
    ["Together with", renderedAt === null || total < 2 ? null : counted(total - 1, "other")],
  ];
}

/** The end of a delivery that did not end with an attempt: by a receipt, a read, a cancellation, or because the user was not connected. */
function settlement(delivery: Delivery): readonly Step[] {
  const { settledAt, status } = delivery;
  const last = delivery.attempts.at(-1);
  if (settledAt === null) {
    return [];
  }
  const isOwn =
    last !== undefined && last.status === status && Math.abs(new Date(settledAt).getTime() - new Date(last.finishedAt).getTime()) < SAME_MS;
  return isOwn
    ? []
    : [
        {
          ...step({
            key: `${delivery.id} settled`,
            at: settledAt,
            tone: toneOf(status),
            text: sentence`${capitalised(way(delivery))} to ${delivery.recipient}: ${status}`,
          }),
          facts: because(delivery),
        },
      ];
}

/** What is ahead of a delivery, by its state. */
const AHEAD_WORDS: Readonly<Partial<Record<Delivery["standing"]["state"], string>>> = {
  running: "is under way",
  held: "is held back",
  retrying: "follows a failure",
  scheduled: "is scheduled",
};

function ahead(delivery: Delivery): readonly Step[] {
  const { id, status, dueAt, attempt, standing, pause } = delivery;
  if (status === "waiting") {
    const unless = dueAt === null ? "if the first way fails" : "unless it is read before";
    const text = sentence`${capitalised(way(delivery))} to ${delivery.recipient} steps in ${unless}`;
    return [{ ...step({ key: `${id} ahead`, at: dueAt, tone: "neutral", text }), isAhead: true }];
  }
  if (status !== "pending") {
    return [];
  }
  if (delivery.digest !== null && dueAt === null) {
    const text = sentence`${capitalised(way(delivery))} to ${delivery.recipient} waits for its digest`;
    return [
      { ...step({ key: `${id} ahead`, at: delivery.digest.closesAt, tone: "neutral", text }), facts: because(delivery), isAhead: true },
    ];
  }
  const number = standing.state === "running" ? attempt : attempt + 1;
  const text = sentence`Attempt ${number}, ${way(delivery)} to ${delivery.recipient}, ${AHEAD_WORDS[standing.state] ?? "is due"}`;
  const held = heldWords(standing);
  const facts = [
    ...because(delivery),
    ...(held === null ? [] : [["Held back", held] as const]),
    ...(pause === null ? [] : [["Paused", pauseWords(pause)] as const]),
  ];
  // Nobody knows when a pause ends.
  const at = standing.heldBy === "paused" ? null : (standing.until ?? dueAt);
  return [{ ...step({ key: `${id} ahead`, at, tone: "warn", text }), facts, isAhead: true }];
}

/** A handler's work on an event, from its prompt to the outcome. */
function recordStep(record: Json<ProcessingRecord>): Step {
  const { id, handlerId, status, result, error, attempt, prompt, createdAt, completedAt, inputTokens, outputTokens } = record;
  if (completedAt === null) {
    const text =
      status === "PROCESSING"
        ? sentence`Handler ${handlerId} is processing it, attempt ${attempt}`
        : sentence`Waits for handler ${handlerId}`;
    const facts = [["Prompt", prompt] as const, ["Matched", dateTime(createdAt)] as const];
    return { ...step({ key: id, at: null, tone: "warn", text }), facts, isAhead: true };
  }
  const facts: (readonly [string, string | null])[] = [
    ["Prompt", prompt],
    ["Result", result],
    ["Error", error],
    ["Took", duration(Math.max(0, new Date(completedAt).getTime() - new Date(createdAt).getTime()))],
    ["Attempts", String(attempt)],
    ["Tokens", inputTokens === null ? null : `${inputTokens} in, ${outputTokens ?? 0} out`],
  ];
  const tone = status === "COMPLETED" ? "good" : "bad";
  const done = step({ key: id, at: completedAt, tone, text: sentence`Handler ${handlerId}: ${status.toLowerCase()}` });
  return { ...done, facts: facts.filter((fact): fact is [string, string] => fact[1] !== null) };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

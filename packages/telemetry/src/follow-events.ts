import type { AttemptEnded, RecordSettled } from "@belfry/core";
import { BoundedSeries } from "./bounded-series.ts";
import type { CounterName, HistogramName, Labels } from "./metrics.ts";
import type { Watched } from "./watched.ts";

/** Takes what happens. */
export interface Instruments {
  /** Counts one. */
  count(counter: CounterName, labels: Labels): void;
  /** Notes how long something took. */
  took(histogram: HistogramName, labels: Labels, seconds: number): void;
}

const STATUSES = ["sent", "delivered", "failed", "skipped", "cancelled"] as const;

/** Counts what happens in this process from now on. Returns a function that ends it. */
export function followEvents({ service, tenants }: Watched, instruments: Instruments): () => void {
  const named = new Set(tenants.map(({ tenantId }) => tenantId));
  const tenantOf = (tenant: string) => (named.has(tenant) ? tenant : "other");
  const { count, took } = bounded(instruments);
  const ends = [
    service.on("notification.created", ({ tenant, notification }) =>
      count("created", { tenant: tenantOf(tenant), kind: notification.kind }),
    ),
    service.on("event.created", ({ tenant }) => count("created", { tenant: tenantOf(tenant), kind: "event" })),
    service.on("attempt.ended", (ended) => {
      const { startedAt, finishedAt, provider } = ended.attempt;
      const labels = { tenant: tenantOf(ended.delivery.tenant), channel: ended.delivery.channel };
      count("attempts", { ...labels, provider, outcome: outcomeOf(ended) });
      took("attemptDuration", labels, secondsBetween(startedAt, finishedAt));
      if (ended.dueAt !== null) {
        took("attemptLag", labels, secondsBetween(ended.dueAt, startedAt));
      }
    }),
    service.on("inbox.lagging_read", ({ tenant, by, lagMs }) => {
      count("laggingReads", { tenant: tenantOf(tenant), by });
      if (by === "replica") {
        took("replicaLag", { tenant: tenantOf(tenant) }, lagMs / 1_000);
      }
    }),
    ...STATUSES.map((status) =>
      service.on(`delivery.${status}`, ({ delivery: { tenant, channel } }) =>
        count("deliveries", { tenant: tenantOf(tenant), channel, status }),
      ),
    ),
  ];
  const ended = (status: string) => (event: RecordSettled) => {
    const { createdAt, completedAt, source } = event.record;
    const labels = { tenant: tenantOf(event.tenant), source };
    count("records", { ...labels, status });
    if (completedAt !== null) {
      took("recordDuration", labels, secondsBetween(createdAt, completedAt));
    }
  };
  ends.push(service.on("record.completed", ended("completed")), service.on("record.failed", ended("failed")));
  return () => {
    for (const end of ends) {
      end();
    }
  };
}

/** The same instruments, with a bound to their series. */
function bounded(instruments: Instruments): Instruments {
  const series = new BoundedSeries();
  return {
    count: (counter, labels) => instruments.count(counter, series.of(counter, labels)),
    took: (histogram, labels, seconds) => instruments.took(histogram, series.of(histogram, labels), seconds),
  };
}

/** Of the inbox, that a user was not connected is no failure. */
function outcomeOf({ delivery, attempt }: AttemptEnded): string {
  if (attempt.status !== "failed") {
    return attempt.status;
  }
  return delivery.channel === "inbox" ? "offline" : delivery.status === "failed" ? "failed" : "transient";
}

/** The clock may have gone back in between. */
function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime()) / 1_000;
}

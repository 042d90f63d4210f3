/** A metric, named as OpenTelemetry names them. */
export interface Metric {
  readonly name: string;
  /** The unit, as UCUM writes it: `s` for seconds, `{delivery}` for a number of deliveries; empty for none. */
  readonly unit: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** Metrics that count what happens in this process. */
export const COUNTERS = {
  created: {
    name: "belfry.notifications.created",
    unit: "{notification}",
    help: "Notifications that were created, by kind: message, send or event.",
    labels: ["tenant", "kind"],
  },
  attempts: {
    name: "belfry.attempts",
    unit: "{attempt}",
    help: "Attempts that ended, by outcome: sent, delivered, failed for good, transient for a failure that is tried again, offline, or unknown.",
    labels: ["tenant", "channel", "provider", "outcome"],
  },
  deliveries: {
    name: "belfry.deliveries.settled",
    unit: "{delivery}",
    help: "Deliveries that came to a status: sent, delivered, failed, skipped or cancelled.",
    labels: ["tenant", "channel", "status"],
  },
  records: {
    name: "belfry.hub.records",
    unit: "{record}",
    help: "Processing records of the hub that ended, by status: completed or failed.",
    labels: ["tenant", "source", "status"],
  },
  laggingReads: {
    name: "belfry.inbox.lagging_reads",
    unit: "{read}",
    help: "Reads of inboxes that may lag, by who answered: the replica, or the database where no replica could.",
    labels: ["tenant", "by"],
  },
} as const satisfies Readonly<Record<string, Metric>>;

/** Metrics of how long something took in this process. */
export const HISTOGRAMS = {
  attemptDuration: {
    name: "belfry.attempt.duration",
    unit: "s",
    help: "How long attempts took.",
    labels: ["tenant", "channel"],
  },
  attemptLag: {
    name: "belfry.attempt.lag",
    unit: "s",
    help: "How long after they were due attempts began.",
    labels: ["tenant", "channel"],
  },
  recordDuration: {
    name: "belfry.hub.record.duration",
    unit: "s",
    help: "How long processing records of the hub took, from their event to their end.",
    labels: ["tenant", "source"],
  },
  replicaLag: {
    name: "belfry.replica.lag",
    unit: "s",
    help: "How far the answers of the replica may have been behind.",
    labels: ["tenant"],
  },
} as const satisfies Readonly<Record<string, Metric>>;

/** The upper bounds of the parts of a histogram, in seconds. */
export const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];

/** Metrics of how things stand, read when somebody asks. */
export const GAUGES = {
  waiting: {
    name: "belfry.deliveries.waiting",
    unit: "{delivery}",
    help: "Deliveries that wait for an attempt, in all processes, by state: scheduled, due, retrying or held.",
    labels: ["tenant", "channel", "state"],
  },
  oldestDue: {
    name: "belfry.deliveries.oldest_due",
    unit: "s",
    help: "For how long the delivery has been due that has been due longest, in all processes; 0 if none is due.",
    labels: ["tenant", "channel"],
  },
  hubWaiting: {
    name: "belfry.hub.waiting",
    unit: "{record}",
    help: "Processing records of the hub that wait, in all processes, up to 10,000.",
    labels: ["tenant"],
  },
  hubOldestDue: {
    name: "belfry.hub.oldest_due",
    unit: "s",
    help: "For how long the processing record has been due that has been due longest, in all processes; 0 if none is due.",
    labels: ["tenant"],
  },
  digestsOpen: {
    name: "belfry.digests.open",
    unit: "{digest}",
    help: "Windows of digests that are open, or are to be rendered, in all processes, up to 10,000.",
    labels: ["tenant"],
  },
  digestsOldestDue: {
    name: "belfry.digests.oldest_due",
    unit: "s",
    help: "For how long the digest has been due that has been due longest, in all processes; 0 if none is due.",
    labels: ["tenant"],
  },
  workers: {
    name: "belfry.workers",
    unit: "{worker}",
    help: "The workers of all processes, by state: alive, or lost for those that have said nothing for 30 seconds and did not stop.",
    labels: ["worker", "state"],
  },
  storageUp: {
    name: "belfry.storage.up",
    unit: "",
    help: "Whether the storage answered when it was last asked: 1 or 0.",
    labels: [],
  },
  concurrency: {
    name: "belfry.worker.concurrency",
    unit: "{task}",
    help: "The most tasks that a worker of this process attempts at once.",
    labels: ["worker"],
  },
  attempting: {
    name: "belfry.worker.attempting",
    unit: "{task}",
    help: "The tasks that a worker of this process attempts now.",
    labels: ["worker"],
  },
  leases: {
    name: "belfry.worker.leases",
    unit: "{lease}",
    help: "The leases that a worker of this process holds.",
    labels: ["worker"],
  },
  workerLag: {
    name: "belfry.worker.lag",
    unit: "s",
    help: "For how long a task had been due that a worker of this process claimed in the last minutes, at the most; 0 if it claimed none.",
    labels: ["worker"],
  },
  connected: {
    name: "belfry.users.connected",
    unit: "{user}",
    help: "Users with an open socket or stream in this process.",
    labels: [],
  },
} as const satisfies Readonly<Record<string, Metric>>;

export type CounterName = keyof typeof COUNTERS;
export type HistogramName = keyof typeof HISTOGRAMS;
export type GaugeName = keyof typeof GAUGES;

/** The labels of one series, by name. */
export type Labels = Readonly<Record<string, string>>;

/** One number of a gauge. */
export interface Sample {
  readonly gauge: GaugeName;
  readonly labels: Labels;
  readonly value: number;
}

const PROMETHEUS_UNITS: Readonly<Record<string, string>> = { s: "_seconds" };

/** The name in Prometheus, as its exporter of OpenTelemetry makes it: with the unit, and `_total` for a counter. */
export function prometheusName({ name, unit }: Pick<Metric, "name" | "unit">, { isCounter }: { readonly isCounter: boolean }): string {
  return `${name.replaceAll(".", "_")}${PROMETHEUS_UNITS[unit] ?? ""}${isCounter ? "_total" : ""}`;
}

import { BelfryError, requireOptions } from "@belfry/core";
import { type MeterProvider, metrics } from "@opentelemetry/api";
import { followEvents } from "./follow-events.ts";
import { COUNTERS, type CounterName, GAUGES, HISTOGRAMS, type HistogramName, type Metric, SECONDS } from "./metrics.ts";
import { Standing } from "./standing.ts";
import { type WatchedOptions, type WatchedService, watchedBy } from "./watched.ts";

/** Options of {@link openTelemetryMetrics}. */
export interface MetricsOptions extends WatchedOptions {
  /** Makes the instruments. @default the one that is registered with `@opentelemetry/api` */
  readonly meterProvider?: Pick<MeterProvider, "getMeter">;
}

const OPTIONS: Readonly<Record<keyof MetricsOptions, true>> = { tenants: true, refreshMs: true, meterProvider: true };

/**
 * Gives OpenTelemetry the metrics of a service: what happens in this process is counted from now on, and how things stand is read when the reader
 * collects. Register a meter provider first.
 *
 * @returns a function that ends it
 * @throws BelfryError `CONFIGURATION`
 * @example
 * ```ts
 * const notifications = new NotificationService({ storage, channels });
 * openTelemetryMetrics(notifications);
 * ```
 */
export function openTelemetryMetrics(service: WatchedService, options: MetricsOptions = {}): () => void {
  requireOptions("openTelemetryMetrics", options, OPTIONS);
  const { meterProvider = metrics } = options;
  if (typeof meterProvider?.getMeter !== "function") {
    throw new BelfryError("CONFIGURATION", "openTelemetryMetrics takes as meterProvider an object with getMeter().");
  }
  const watched = watchedBy("openTelemetryMetrics", service, options);
  const meter = meterProvider.getMeter("@belfry/telemetry");
  const counters = mapped(COUNTERS, ({ name, unit, help }) => meter.createCounter(name, { unit, description: help }));
  const histograms = mapped(HISTOGRAMS, ({ name, unit, help }) =>
    meter.createHistogram(name, { unit, description: help, advice: { explicitBucketBoundaries: SECONDS } }),
  );
  const gauges = mapped(GAUGES, ({ name, unit, help }) => meter.createObservableGauge(name, { unit, description: help }));
  const standing = new Standing(watched);
  const observe: Parameters<typeof meter.addBatchObservableCallback>[0] = async (result) => {
    for (const { gauge, labels, value } of await standing.read()) {
      result.observe(gauges[gauge], value, labels);
    }
  };
  const observed = Object.values(gauges);
  meter.addBatchObservableCallback(observe, observed);
  const end = followEvents(watched, {
    count: (counter: CounterName, labels) => counters[counter].add(1, labels),
    took: (histogram: HistogramName, labels, seconds) => histograms[histogram].record(seconds, labels),
  });
  return () => {
    end();
    meter.removeBatchObservableCallback(observe, observed);
  };
}

function mapped<Name extends string, Made>(
  declared: Readonly<Record<Name, Metric>>,
  make: (metric: Metric) => Made,
): Readonly<Record<Name, Made>> {
  const entries = Object.entries<Metric>(declared).map(([name, metric]) => [name, make(metric)] as const);
  return Object.fromEntries(entries) as Record<Name, Made>;
}

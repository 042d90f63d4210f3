export { type MetricsOptions, openTelemetryMetrics } from "./opentelemetry-metrics.ts";
export { openTelemetryTracing, type TracingOptions } from "./opentelemetry-tracing.ts";
export type { WatchedOptions, WatchedService, WatchedTenant } from "./watched.ts";

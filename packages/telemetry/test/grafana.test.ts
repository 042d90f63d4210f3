import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { COUNTERS, GAUGES, HISTOGRAMS, type Metric, prometheusName } from "../src/metrics.ts";

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

const dashboard = JSON.parse(await readFile(new URL("../grafana/belfry.json", import.meta.url), "utf8")) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly query: string }[] };
};

const named = (metrics: Readonly<Record<string, Metric>>, isCounter = false, suffix = "") =>
  Object.values(metrics).map((metric) => [prometheusName(metric, { isCounter }) + suffix, metric.labels] as const);
const LABELS = new Map([...named(COUNTERS, true), ...named(HISTOGRAMS, false, "_bucket"), ...named(GAUGES)]);

const queries = [
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ...dashboard.templating.list.map(({ query }) => ["a variable", query] as const).filter(([, query]) => query !== "prometheus"),
];

test.each(queries)("%s asks for metrics and labels that there are: %s", (_, query) => {
  const metrics = query.match(/belfry_\w+/g) ?? [];
  expect(metrics).not.toEqual([]);
  const labels = ["instance", "le", ...metrics.flatMap((metric) => LABELS.get(metric) ?? [`of ${metric}, which is no metric`])];
  const asked = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = ""]) => names.split(", "));
  const filtered = [...query.matchAll(/[{,](\w+)(?:=~|!=|=)/g)].map(([, name]) => name);
  expect([...asked, ...filtered].filter((name) => name !== undefined && !labels.includes(name))).toEqual([]);
});

test("every metric is shown", () => {
  const shown = new Set(queries.flatMap(([, query]) => query.match(/belfry_\w+/g) ?? []));
  expect([...LABELS.keys()].filter((metric) => !shown.has(metric))).toEqual([]);
});

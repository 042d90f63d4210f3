import type { HealthRange } from "@belfry/core";
import type { ComponentChildren } from "preact";

/** The length of a bar of each period, in words. */
export const SPANS: Readonly<Record<HealthRange, string>> = { "1h": "minute", "24h": "half hour", "7d": "two hours" };

interface FigureProps {
  readonly name: string;
  readonly tone?: "good" | "bad";
  readonly children: ComponentChildren;
}

/** A figure with its name. */
export function Figure({ name, tone, children }: FigureProps) {
  return (
    <div class={tone === undefined ? "figure" : `figure ${tone}`}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

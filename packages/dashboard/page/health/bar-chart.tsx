import type { ComponentChildren, TargetedKeyboardEvent, TargetedPointerEvent } from "preact";
import { useState } from "preact/hooks";
import { number, shortDate } from "../state/format.ts";
import { ticksOf } from "./ticks.ts";

/** A part of the bars, from the foot up: its tone sets the colour, and stands in the legend with its name. */
export interface BarPart {
  readonly name: string;
  readonly tone: "good" | "bad" | "warn" | "info";
}

/** One bar: from when, and how much of each part. */
export interface Bar {
  readonly from: string;
  readonly values: readonly number[];
  /** Whether nobody knows them. @default false */
  readonly isUnknown?: boolean;
}

interface BarChartProps {
  /** What is shown, such as "Attempts per minute". */
  readonly title: string;
  /** Says all of it in a sentence. */
  readonly description: string;
  readonly parts: readonly BarPart[];
  /** Oldest first; the last one is not over yet. */
  readonly bars: readonly Bar[];
}

/** The drawing's own units; it stretches to the room there is. */
const WIDTH = 600;
const HEIGHT = 120;

/** Bars over time, with axes. Pointing at a bar, touching it, or the arrow keys tell its figures; the table below has all of them. */
export function BarChart({ title, description, parts, bars }: BarChartProps) {
  const { ticks, top } = ticksOf(Math.max(0, ...bars.map(sumOf)));
  return (
    <figure class="chart">
      <figcaption>
        {title}
        <span class="legend">
          {parts.map(({ name, tone }) => (
            <span key={name}>
              <span class={`key ${tone}`} aria-hidden="true" /> {name}
            </span>
          ))}
        </span>
      </figcaption>
      <div class="plot">
        <div class="ticks" aria-hidden="true">
          {ticks.map((tick) => (
            <span key={tick}>{number(tick)}</span>
          ))}
        </div>
        <Reading title={title} bars={bars} parts={parts}>
          <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={description}>
            {ticks.map((tick) => (
              <line key={tick} class={tick === 0 ? "axis" : "grid"} x1="0" x2={WIDTH} y1={yOf(tick, top)} y2={yOf(tick, top)} />
            ))}
            {bars.map((bar, index) => (
              <Column key={bar.from} bar={bar} parts={parts} place={{ index, of: bars.length, top }} />
            ))}
          </svg>
        </Reading>
      </div>
      <TimeAxis bars={bars} />
      <ChartTable parts={parts} bars={bars} />
    </figure>
  );
}

function sumOf({ values }: Bar): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function yOf(value: number, top: number): number {
  return HEIGHT - (value * HEIGHT) / top;
}

interface ColumnProps {
  readonly bar: Bar;
  readonly parts: readonly BarPart[];
  readonly place: { readonly index: number; readonly of: number; readonly top: number };
}

function Column({ bar, parts, place: { index, of, top } }: ColumnProps) {
  const width = WIDTH / of;
  const gap = Math.min(1.5, width / 5);
  let below = 0;
  return (
    <g class={index === of - 1 ? "unfinished" : undefined}>
      {bar.values.map((value, part) => {
        below += value;
        const [y, height] = [yOf(below, top), (value * HEIGHT) / top];
        const tone = parts[part]?.tone ?? "info";
        return height === 0 ? null : (
          <rect key={tone} class={`bar ${tone}`} x={index * width + gap} width={width - 2 * gap} y={y} height={height} />
        );
      })}
    </g>
  );
}

interface ReadingProps {
  readonly title: string;
  readonly bars: readonly Bar[];
  readonly parts: readonly BarPart[];
  readonly children: ComponentChildren;
}

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

/** Lets people read single bars. To screen readers it is a slider over time. */
function Reading({ title, bars, parts, children }: ReadingProps) {
  const [at, setAt] = useState<number | null>(null);
  const last = bars.length - 1;
  const bounded = (index: number) => Math.min(last, Math.max(0, index));
  const point = (event: TargetedPointerEvent<HTMLDivElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setAt(bounded(Math.floor(((event.clientX - left) / width) * bars.length)));
  };
  const press = (event: TargetedKeyboardEvent<HTMLDivElement>) => {
    const next = event.key === "Home" ? 0 : event.key === "End" ? last : stepFrom(at ?? last, STEPS[event.key]);
    if (event.key === "Escape") {
      setAt(null);
    } else if (next !== null) {
      event.preventDefault();
      setAt(bounded(next));
    }
  };
  const words = barWords({ bars, parts, at: at ?? last });
  return (
    <div
      class="reading"
      role="slider"
      tabIndex={0}
      aria-label={title}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={at ?? last}
      aria-valuetext={words.join(", ")}
      onPointerMove={point}
      onPointerDown={point}
      onPointerLeave={(event) => event.pointerType === "mouse" && setAt(null)}
      onFocus={(event) => event.currentTarget.matches(":focus-visible") && setAt((before) => before ?? last)}
      onBlur={() => setAt(null)}
      onKeyDown={press}
    >
      {children}
      {at === null ? null : (
        <div
          class={at > bars.length / 2 ? "tip before" : "tip"}
          style={{ "--at": `${((at + 0.5) / bars.length) * 100}%` }}
          aria-hidden="true"
        >
          {words.map((line) => (
            <span key={line}>{line}</span>
          ))}
        </div>
      )}
    </div>
  );
}

function stepFrom(at: number, step: number | undefined): number | null {
  return step === undefined ? null : at + step;
}

function barWords({
  bars,
  parts,
  at,
}: {
  readonly bars: readonly Bar[];
  readonly parts: readonly BarPart[];
  readonly at: number;
}): string[] {
  const bar = bars[at];
  if (bar === undefined) {
    return [];
  }
  const values = bar.isUnknown === true ? ["not known"] : parts.map(({ name }, part) => `${number(bar.values[part] ?? 0)} ${name}`);
  return [`${shortDate(bar.from)}${at === bars.length - 1 ? ", until now" : ""}`, ...values];
}

const LABELS = 4;

function TimeAxis({ bars }: { readonly bars: readonly Bar[] }) {
  const step = Math.max(1, Math.floor(bars.length / LABELS));
  const named = bars.filter((_, index) => index % step === 0 && index <= bars.length - step);
  return (
    <p class="chart-ends" aria-hidden="true">
      {named.map(({ from }) => (
        <span key={from}>{shortDate(from)}</span>
      ))}
      <span>now</span>
    </p>
  );
}

/** The same figures as a table, for people who do not see the bars; it leaves out bars without anything. */
function ChartTable({ parts, bars }: { readonly parts: readonly BarPart[]; readonly bars: readonly Bar[] }) {
  const filled = bars.filter((bar) => sumOf(bar) > 0);
  return (
    <details>
      <summary>As a table</summary>
      {filled.length === 0 ? (
        <p class="muted">Nothing in this time.</p>
      ) : (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">From</th>
              {parts.map(({ name }) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {filled.map(({ from, values }) => (
              <tr key={from}>
                <th scope="row">{shortDate(from)}</th>
                {parts.map(({ name }, part) => (
                  <td key={name}>{number(values[part] ?? 0)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}

import type { ChannelHealth, HealthBucket, HealthRange } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { number, shortDate } from "../state/format.ts";

type Bucket = Json<HealthBucket>;

/** The drawing's own units; it stretches to the room there is. */
const WIDTH = 600;
const HEIGHT = 120;

const SPANS: Readonly<Record<HealthRange, string>> = { "1h": "minute", "24h": "half hour", "7d": "two hours" };

/** Attempts over time: a bar for each part of the range, failed ones on top of succeeded ones. */
export function RateChart({ channel, range }: { readonly channel: Json<ChannelHealth>; readonly range: HealthRange }) {
  const { buckets } = channel;
  const top = Math.max(1, ...buckets.map(({ succeeded, failed }) => succeeded + failed));
  const first = buckets[0];
  return (
    <figure class="chart">
      <figcaption>
        Attempts per {SPANS[range]}, at most {number(top)}
        <span class="legend">
          <span class="key good" aria-hidden="true" /> succeeded <span class="key bad" aria-hidden="true" /> failed
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={descriptionOf(channel, range)}>
        <line class="axis" x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        {buckets.map((bucket, index) => (
          <Bar key={bucket.from} bucket={bucket} x={(index * WIDTH) / buckets.length} width={WIDTH / buckets.length} scale={HEIGHT / top} />
        ))}
      </svg>
      <p class="chart-ends">
        <span>{first === undefined ? "" : shortDate(first.from)}</span>
        <span>now</span>
      </p>
      <ChartTable buckets={buckets} />
    </figure>
  );
}

function descriptionOf({ channel, succeeded, failed }: Json<ChannelHealth>, range: HealthRange): string {
  return `Bar chart of ${channel} attempts over ${range}: ${number(succeeded)} succeeded, ${number(failed)} failed. The table below has the same figures.`;
}

interface BarProps {
  readonly bucket: Bucket;
  readonly x: number;
  readonly width: number;
  /** Units of height for each attempt. */
  readonly scale: number;
}

function Bar({ bucket: { succeeded, failed, from }, x, width, scale }: BarProps) {
  const [good, bad] = [succeeded * scale, failed * scale];
  const gap = Math.min(1.5, width / 5);
  return (
    <g>
      <title>{`${shortDate(from)}: ${number(succeeded)} succeeded, ${number(failed)} failed`}</title>
      <rect class="bar good" x={x + gap} width={width - 2 * gap} y={HEIGHT - good} height={good} />
      <rect class="bar bad" x={x + gap} width={width - 2 * gap} y={HEIGHT - good - bad} height={bad} />
    </g>
  );
}

/** The same figures as a table, for people who do not see the bars; it leaves out parts without any attempt. */
function ChartTable({ buckets }: { readonly buckets: readonly Bucket[] }) {
  const filled = buckets.filter(({ succeeded, failed }) => succeeded + failed > 0);
  return (
    <details>
      <summary>As a table</summary>
      {filled.length === 0 ? (
        <p class="muted">No attempts in this time.</p>
      ) : (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">Succeeded</th>
              <th scope="col">Failed</th>
            </tr>
          </thead>
          <tbody>
            {filled.map(({ from, succeeded, failed }) => (
              <tr key={from}>
                <th scope="row">{shortDate(from)}</th>
                <td>{number(succeeded)}</td>
                <td>{number(failed)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}

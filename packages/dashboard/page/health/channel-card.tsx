import type { ChannelHealth, HealthRange, WaitingState } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { Link } from "../parts/link.tsx";
import { Time } from "../parts/time.tsx";
import { duration, number } from "../state/format.ts";
import { useNow } from "../state/now.ts";
import { placeUrl } from "../state/place.ts";
import { BarChart, type BarPart } from "./bar-chart.tsx";
import { channelState, ratePerMinute, trendOf } from "./channel-state.ts";
import { Figure, SPANS } from "./figures.tsx";

type Channel = Json<ChannelHealth>;

const ATTEMPTS: readonly BarPart[] = [
  { name: "succeeded", tone: "good" },
  { name: "failed", tone: "bad" },
];

/** What waits, as it stands in bars: what is due at the foot. */
const WAITING: readonly (BarPart & { readonly state: WaitingState })[] = [
  { state: "due", name: "due", tone: "info" },
  { state: "retrying", name: "retrying", tone: "warn" },
  { state: "held", name: "held back", tone: "bad" },
  { state: "scheduled", name: "scheduled", tone: "good" },
];

/** A channel: how it does in a word, its figures, its attempts over time, and what waited. */
export function ChannelCard({ channel, range }: { readonly channel: Channel; readonly range: HealthRange }) {
  const { channel: name, succeeded, failed, buckets } = channel;
  const state = channelState(channel, useNow());
  return (
    <section class="card" aria-labelledby={`channel-${name}`}>
      <div class="channel-head">
        <h2 id={`channel-${name}`}>{name}</h2>
        <span class={`tag ${state.tone}`}>{state.word}</span>
        <Link class="aside" to={placeUrl("endpoints", { channel: name })}>
          Failing endpoints
        </Link>
        <Link to={placeUrl("search", { channel: name, state: "failed" })}>Failed sends</Link>
      </div>
      <ChannelFigures channel={channel} />
      <BarChart
        title={`Attempts per ${SPANS[range]}`}
        description={`Bar chart of ${name} attempts over ${range}: ${number(succeeded)} succeeded, ${number(failed)} failed. The table below has the same figures.`}
        parts={ATTEMPTS}
        bars={buckets.map((bucket) => ({ from: bucket.from, values: [bucket.succeeded, bucket.failed] }))}
      />
      <BacklogChart channel={channel} range={range} />
    </section>
  );
}

/** How much waited over time. Where nobody looked, nobody knows. */
function BacklogChart({ channel: { channel, backlog }, range }: { readonly channel: Channel; readonly range: HealthRange }) {
  const most = Math.max(0, ...backlog.map(({ waiting }) => WAITING.reduce((sum, { state }) => sum + (waiting?.[state] ?? 0), 0)));
  return (
    <BarChart
      title={range === "1h" ? "Waiting at each minute" : `Most that waited per ${SPANS[range]}`}
      description={`Bar chart of deliveries over ${channel} that waited over ${range}, at most ${number(most)}. The table below has the same figures.`}
      parts={WAITING}
      bars={backlog.map(({ from, waiting }) => ({
        from,
        values: WAITING.map(({ state }) => waiting?.[state] ?? 0),
        isUnknown: waiting === null,
      }))}
    />
  );
}

function ChannelFigures({ channel }: { readonly channel: Channel }) {
  const { succeeded, failed, waiting, p50Ms, p95Ms, oldestDueAt } = channel;
  const all = succeeded + failed;
  const rate = all === 0 ? null : (succeeded / all) * 100;
  const perMinute = ratePerMinute(channel);
  const found = (state: string) => placeUrl("search", { channel: channel.channel, state });
  return (
    <dl class="figures">
      <Figure name="Success" tone={rate !== null && rate < 95 ? "bad" : "good"}>
        {rate === null ? "–" : `${rate === 100 ? "100" : rate.toFixed(1)} %`}
      </Figure>
      <Figure name="Succeeded">{number(succeeded)}</Figure>
      <Figure name="Failed">{number(failed)}</Figure>
      <Figure name="Per minute">{perMinute === null ? "–" : rounded(perMinute)}</Figure>
      <Figure name="Trend">{trendOf(channel) ?? "–"}</Figure>
      <Figure name="Due">{waiting.due === 0 ? "0" : <Link to={found("due")}>{number(waiting.due)}</Link>}</Figure>
      <Figure name="Retrying">{waiting.retrying === 0 ? "0" : <Link to={found("retrying")}>{number(waiting.retrying)}</Link>}</Figure>
      <Figure name="Held back">{waiting.held === 0 ? "0" : <Link to={found("held")}>{number(waiting.held)}</Link>}</Figure>
      <Figure name="Scheduled">{number(waiting.scheduled)}</Figure>
      <Figure name="Oldest due">{oldestDueAt === null ? "none" : <Time date={oldestDueAt} />}</Figure>
      <Figure name="p50 latency">{p50Ms === null ? "–" : duration(p50Ms)}</Figure>
      <Figure name="p95 latency">{p95Ms === null ? "–" : duration(p95Ms)}</Figure>
    </dl>
  );
}

function rounded(perMinute: number): string {
  return perMinute < 10 ? String(Math.round(perMinute * 10) / 10) : number(Math.round(perMinute));
}

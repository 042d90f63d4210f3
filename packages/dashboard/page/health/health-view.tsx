import type { ChannelHealth, HealthRange } from "@belfry/core";
import type { ComponentChildren } from "preact";
import type { Json } from "../../src/wire.ts";
import { Choices } from "../parts/fields.tsx";
import { Link } from "../parts/link.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { Time } from "../parts/time.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { get } from "../state/api.ts";
import { duration, number } from "../state/format.ts";
import { useRevision } from "../state/live.ts";
import { useNow } from "../state/now.ts";
import { go, placeUrl } from "../state/place.ts";
import { type Resource, useResource } from "../state/resource.ts";
import { RateChart } from "./rate-chart.tsx";

const RANGES: readonly (readonly [HealthRange, string])[] = [
  ["1h", "1 hour"],
  ["24h", "24 hours"],
  ["7d", "7 days"],
];

/** How often the page loads the figures. Over a longer range they change less and cost more. */
const REFRESH_MS: Readonly<Record<HealthRange, number>> = { "1h": 5_000, "24h": 60_000, "7d": 300_000 };

type Channel = Json<ChannelHealth>;

/** The health of every channel. */
export function HealthView({ params }: { readonly params: URLSearchParams }) {
  const range = RANGES.find(([value]) => value === params.get("range"))?.[0] ?? "1h";
  const revision = useRevision((event) => event.name === "notification", REFRESH_MS[range]);
  // The range moves on although nothing happens.
  const steps = Math.floor(useNow() / Math.max(60_000, REFRESH_MS[range]));
  const health = useResource(range, (signal) => get<{ channels: Channel[] }>("health", { range }, signal), revision + steps);
  return (
    <>
      <ViewTitle title="Health">
        <Choices
          label="Over which time"
          name="range"
          value={range}
          options={RANGES}
          onChoose={(chosen) => go(placeUrl("health", { range: chosen }), { replace: true })}
        />
      </ViewTitle>
      <FailureNote failure={health.failure} what="The figures could not be loaded." onRetry={health.reload} />
      <Channels health={health} range={range} />
    </>
  );
}

function Channels({ health, range }: { readonly health: Resource<{ channels: readonly Channel[] }>; readonly range: HealthRange }) {
  if (health.value === null) {
    return health.failure === null ? (
      <section class="card">
        <Loading what="figures" rows={5} />
      </section>
    ) : null;
  }
  const { channels } = health.value;
  if (channels.length === 0) {
    return (
      <section class="card">
        <Empty title="Nothing was delivered in this time">
          Channels appear here with their first attempt. Send a test from <Link to={placeUrl("search")}>Search</Link>, or look further back.
        </Empty>
      </section>
    );
  }
  return (
    <div class="channels">
      {channels.map((channel) => (
        <ChannelCard key={channel.channel} channel={channel} range={range} />
      ))}
    </div>
  );
}

function ChannelCard({ channel, range }: { readonly channel: Channel; readonly range: HealthRange }) {
  const { succeeded, failed, waiting, p50Ms, p95Ms, oldestDueAt } = channel;
  const all = succeeded + failed;
  const rate = all === 0 ? null : (succeeded / all) * 100;
  return (
    <section class="card" aria-labelledby={`channel-${channel.channel}`}>
      <div class="channel-head">
        <h2 id={`channel-${channel.channel}`}>{channel.channel}</h2>
        <Link to={placeUrl("search", { channel: channel.channel, state: "failed" })}>Failed sends</Link>
      </div>
      <dl class="figures">
        <Figure name="Success" tone={rate !== null && rate < 95 ? "bad" : "good"}>
          {rate === null ? "–" : `${rate === 100 ? "100" : rate.toFixed(1)} %`}
        </Figure>
        <Figure name="Succeeded">{number(succeeded)}</Figure>
        <Figure name="Failed">{number(failed)}</Figure>
        <Figure name="Due">{number(waiting.due)}</Figure>
        <Figure name="Retrying">{number(waiting.retrying)}</Figure>
        <Figure name="Held back">{number(waiting.held)}</Figure>
        <Figure name="Scheduled">{number(waiting.scheduled)}</Figure>
        <Figure name="Oldest due">{oldestDueAt === null ? "none" : <Time date={oldestDueAt} />}</Figure>
        <Figure name="p50 latency">{p50Ms === null ? "–" : duration(p50Ms)}</Figure>
        <Figure name="p95 latency">{p95Ms === null ? "–" : duration(p95Ms)}</Figure>
      </dl>
      <RateChart channel={channel} range={range} />
    </section>
  );
}

interface FigureProps {
  readonly name: string;
  readonly tone?: "good" | "bad";
  readonly children: ComponentChildren;
}

function Figure({ name, tone, children }: FigureProps) {
  return (
    <div class={tone === undefined ? "figure" : `figure ${tone}`}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

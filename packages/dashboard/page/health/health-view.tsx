import type { Alarm, ChannelHealth, HealthRange, WorkHealth } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { Choices } from "../parts/fields.tsx";
import { Link } from "../parts/link.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { get } from "../state/api.ts";
import { useRevision } from "../state/live.ts";
import { useNow } from "../state/now.ts";
import { go, placeUrl } from "../state/place.ts";
import { type Resource, useResource } from "../state/resource.ts";
import { AlarmList } from "./alarm-list.tsx";
import { ChannelCard } from "./channel-card.tsx";
import { WorkCards } from "./work-cards.tsx";

const RANGES: readonly (readonly [HealthRange, string])[] = [
  ["1h", "1 hour"],
  ["24h", "24 hours"],
  ["7d", "7 days"],
];

/** How often the page loads the figures. Over a longer range they change less and cost more. */
const REFRESH_MS: Readonly<Record<HealthRange, number>> = { "1h": 5_000, "24h": 60_000, "7d": 300_000 };

interface Figures {
  readonly channels: readonly Json<ChannelHealth>[];
  readonly work: Json<WorkHealth>;
  readonly alarms: readonly Json<Alarm>[];
}

/** The health of every channel, and of the work in the background. */
export function HealthView({ params }: { readonly params: URLSearchParams }) {
  const range = RANGES.find(([value]) => value === params.get("range"))?.[0] ?? "1h";
  const revision = useRevision((event) => event.name === "notification", REFRESH_MS[range]);
  // The range moves on although nothing happens.
  const steps = Math.floor(useNow() / Math.max(60_000, REFRESH_MS[range]));
  const health = useResource(range, (signal) => get<Figures>("health", { range }, signal), revision + steps);
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
      <Cards health={health} range={range} />
    </>
  );
}

function Cards({ health, range }: { readonly health: Resource<Figures>; readonly range: HealthRange }) {
  if (health.value === null) {
    return health.failure === null ? (
      <section class="card">
        <Loading what="figures" rows={5} />
      </section>
    ) : null;
  }
  const { channels, work, alarms } = health.value;
  return (
    <div class="channels">
      <AlarmList alarms={alarms} />
      {channels.length === 0 ? (
        <section class="card">
          <Empty title="Nothing was delivered in this time">
            Channels appear here with their first attempt. Send a test from <Link to={placeUrl("search")}>Search</Link>, or look further
            back.
          </Empty>
        </section>
      ) : (
        channels.map((channel) => <ChannelCard key={channel.channel} channel={channel} range={range} />)
      )}
      <WorkCards work={work} range={range} />
    </div>
  );
}

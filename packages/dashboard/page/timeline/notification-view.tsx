import type { Activity } from "@belfry/core";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { SummaryStatus } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { nameOf, Recipients } from "../search/result-table.tsx";
import { get } from "../state/api.ts";
import { number } from "../state/format.ts";
import { useRevision } from "../state/live.ts";
import { placeUrl } from "../state/place.ts";
import { type Resource, useResource } from "../state/resource.ts";
import { safeLink } from "../state/safe-link.ts";
import { DeliveriesCard } from "./deliveries-card.tsx";
import { MailPreview } from "./mail-preview.tsx";
import { SendActions } from "./send-actions.tsx";
import { isMany, MOST_DELIVERIES, stepsOf } from "./steps.ts";
import { Timeline } from "./timeline.tsx";

/** How often the view loads a notification that is under way: the stream does not report all steps of other processes. */
const UNDER_WAY_MS = 5_000;

/** One notification: its texts, what happened to it, and why. */
export function NotificationView({ id }: { readonly id: string }) {
  const revision = useRevision((event) => event.name === "inbox" || (event.name === "notification" && event.data.notification.id === id));
  const path = `activity/${encodeURIComponent(id)}`;
  // One more than have steps of their own, to see whether there are more.
  const activity = useResource(id, (signal) => get<Json<Activity>>(path, { deliveries: MOST_DELIVERIES + 1 }, signal), revision);
  useUnderWay(activity);
  const { value, failure } = activity;
  if (value === null) {
    return (
      <>
        <ViewTitle title="Notification" />
        <section class="card">
          <Missing id={id} failure={failure} reload={activity.reload} />
        </section>
      </>
    );
  }
  return (
    <>
      <ViewTitle title={nameOf(value.summary)}>
        <SummaryStatus summary={value.summary} />
        <SendActions activity={value} onDone={activity.reload} />
      </ViewTitle>
      <FailureNote failure={failure} what="It could not be loaded anew." onRetry={activity.reload} />
      <div class="columns">
        <section class="card" aria-labelledby="timeline-title">
          <h2 id="timeline-title">What happened</h2>
          <Timeline steps={stepsOf(value)} />
        </section>
        <div class="column">
          <Contents activity={value} />
          <MailPreview deliveries={value.deliveries} />
        </div>
      </div>
      {isMany(value) ? (
        <DeliveriesCard
          title={`Deliveries: ${outcomeWords(value.chains)}`}
          of="notification"
          path={`${path}/deliveries`}
          first={(value.chains?.failed ?? 0) > 0 ? "failing" : "all"}
        />
      ) : null}
    </>
  );
}

/** How many recipients have each outcome: "1,480 delivered, 20 failed". */
function outcomeWords(chains: Json<Activity>["chains"]): string {
  const known = Object.entries(chains ?? {}).filter(([, count]) => count > 0);
  return known.map(([outcome, count]) => `${number(count)} ${outcome}`).join(", ") || "none";
}

function Missing({ id, failure, reload }: Pick<Resource<unknown>, "failure" | "reload"> & { readonly id: string }) {
  if (failure === null) {
    return <Loading what="the notification" rows={6} />;
  }
  return failure.status === 404 ? (
    <Empty title="There is no such notification">
      It may have been deleted, or the address is not whole. <Link to={placeUrl("search")}>Search for it</Link>, or{" "}
      <Link to={placeUrl("audit", { notificationId: id })}>look at who did what to it</Link>.
    </Empty>
  ) : (
    <FailureNote failure={failure} what="The notification could not be loaded." onRetry={reload} />
  );
}

function useUnderWay({ value, reload }: Resource<Json<Activity>>): void {
  const isUnderWay = value?.summary.status === "pending" || (value?.records.some(({ completedAt }) => completedAt === null) ?? false);
  useEffect(() => {
    if (!isUnderWay) {
      return;
    }
    const timer = setInterval(reload, UNDER_WAY_MS);
    return () => clearInterval(timer);
  }, [isUnderWay]);
}

function Contents({ activity }: { readonly activity: Json<Activity> }) {
  const { summary, message, data, itemCount, readCount } = activity;
  const link = safeLink(activity);
  return (
    <section class="card" aria-labelledby="contents-title">
      <h2 id="contents-title">Contents</h2>
      {summary.title === "" ? null : <p class="contents-title">{summary.title}</p>}
      <p class="contents-message">{message || "(no message)"}</p>
      {link === null ? null : (
        <p>
          <a href={link} target="_blank" rel="noopener noreferrer">
            Open link <Icon name="external" />
          </a>
        </p>
      )}
      <dl class="facts">
        <Fact name="Type">{summary.type}</Fact>
        <Fact name="Recipients">
          <Recipients summary={summary} />
        </Fact>
        {activity.broadcast === null ? null : (
          <Fact name="Broadcast">
            {broadcastWords(activity.broadcast)} <Time date={activity.broadcast.at} />
            {activity.broadcast.endedAt === null ? null : (
              <>
                , ended <Time date={activity.broadcast.endedAt} />
              </>
            )}
          </Fact>
        )}
        <Fact name="Channels">{summary.channels.join(", ") || "–"}</Fact>
        <Fact name="In inboxes">{itemCount === 0 ? "–" : `${number(itemCount)}, read in ${number(readCount)}`}</Fact>
        <Fact name="Created">
          <Time date={summary.createdAt} />
        </Fact>
        <Fact name="Id">
          <code>{summary.id}</code>
        </Fact>
      </dl>
      {Object.keys(data).length === 0 ? null : (
        <details>
          <summary>Data</summary>
          <pre>{JSON.stringify(data, null, 2)}</pre>
        </details>
      )}
    </section>
  );
}

const READING = { "goes on": "users are being read", waits: "no process reads its users" } as const;

/** How a broadcast stands, before its time is named. */
function broadcastWords({
  state,
  at,
  endedAt,
  isStanding,
  exceptCount,
  isReadingUsers,
  usersWaitSince,
}: NonNullable<Json<Activity>["broadcast"]>): string {
  const terms = [
    isStanding ? "standing" : null,
    exceptCount === 0 ? null : `all but ${number(exceptCount)}`,
    isReadingUsers ? READING[usersWaitSince === null ? "goes on" : "waits"] : null,
    state === "scheduled" || (endedAt !== null && endedAt < at) ? "scheduled for" : "sent",
  ];
  return terms.filter((term) => term !== null).join(", ");
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

import type { Device, Subscription, UserAddress } from "@belfry/core";
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Link } from "../parts/link.tsx";
import { FailureNote, Loading } from "../parts/states.tsx";
import { Time } from "../parts/time.tsx";
import { get } from "../state/api.ts";
import { placeUrl } from "../state/place.ts";
import { type Resource, useResource } from "../state/resource.ts";
import { REASON_WORDS } from "../suppressions/suppression-filter.tsx";

/** Where a user is reached. */
export type Addresses = Resource<{ readonly addresses: readonly Json<UserAddress>[] }>;

/** Loads where a user is reached. */
export function useAddresses(userId: string): Addresses {
  return useResource(userId, (signal) => get("user-addresses", { user_id: userId }, signal));
}

interface CardProps<Value> {
  readonly title: string;
  /** What it lists, in the plural. */
  readonly what: string;
  readonly loaded: Resource<Value>;
  children(value: Value): ComponentChildren;
}

/** A card with a title and what was loaded for it. */
function Card<Value>({ title, what, loaded: { value, failure, reload }, children }: CardProps<Value>) {
  const id = useId();
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <FailureNote failure={failure} what={`The ${what} could not be loaded.`} onRetry={reload} />
      {value === null ? failure === null ? <Loading what={what} rows={2} /> : null : children(value)}
    </section>
  );
}

/** Where a user is reached over each channel, and what stands against it. */
export function AddressesCard({ addresses }: { readonly addresses: Addresses }) {
  return (
    <Card title="Addresses" what="addresses" loaded={addresses}>
      {({ addresses: known }) =>
        known.length === 0 ? (
          <p class="muted">The application has no channel but the inbox.</p>
        ) : (
          <table>
            <thead>
              <tr>
                <th scope="col">Channel</th>
                <th scope="col">Address</th>
                <th scope="col">Suppressed</th>
              </tr>
            </thead>
            <tbody>
              {known.map((one) => (
                <tr key={one.channel}>
                  <th scope="row">{one.channel}</th>
                  <td>
                    <Address of={one} />
                  </td>
                  <td>
                    <Suppressed of={one} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      }
    </Card>
  );
}

function Address({ of: { address, devices, problem } }: { readonly of: Json<UserAddress> }) {
  if (problem !== null) {
    return <span class="muted">{problem}</span>;
  }
  if (address !== null) {
    return <bdi>{address}</bdi>;
  }
  return devices === 0 ? <span class="muted">none</span> : <span>{devices === 1 ? "one device" : `${devices} devices`}</span>;
}

function Suppressed({ of: { channel, address, suppression } }: { readonly of: Json<UserAddress> }) {
  if (suppression === null) {
    return <>no</>;
  }
  return (
    <>
      <Link to={placeUrl("suppressions", { channel, prefix: suppression.address || (address ?? "") })}>
        {REASON_WORDS[suppression.reason]}
      </Link>{" "}
      <Time date={suppression.createdAt} />
    </>
  );
}

/** The phones and browsers of a user. */
export function DevicesCard({ userId }: { readonly userId: string }) {
  const devices = useResource(userId, (signal) =>
    get<{ readonly devices: readonly Json<Device>[] }>("user-devices", { user_id: userId }, signal),
  );
  return (
    <Card title="Devices" what="devices" loaded={devices}>
      {({ devices: known }) =>
        known.length === 0 ? (
          <p class="muted">No phone and no browser is registered for push.</p>
        ) : (
          <ul class="list-plain">
            {known.map(({ id, platform, name, tokenEnd, seenAt }) => (
              <li key={id}>
                <bdi>{name ?? `…${tokenEnd}`}</bdi> over {platform}, seen <Time date={seenAt} />
              </li>
            ))}
          </ul>
        )
      }
    </Card>
  );
}

/** How many subscriptions the card names. */
const TOPICS = 50;

/** What a user subscribes to. */
export function TopicsCard({ userId }: { readonly userId: string }) {
  const topics = useResource(userId, (signal) =>
    get<{ readonly subscriptions: readonly Json<Subscription>[]; readonly nextCursor: string | null }>(
      "user-topics",
      { user_id: userId, limit: TOPICS },
      signal,
    ),
  );
  return (
    <Card title="Topics" what="topics" loaded={topics}>
      {({ subscriptions, nextCursor }) =>
        subscriptions.length === 0 ? (
          <p class="muted">Subscribes to no topic.</p>
        ) : (
          <>
            <ul class="list-plain">
              {subscriptions.map(({ topic, deep, channels, createdAt }) => (
                <li key={topic}>
                  <bdi>{topic}</bdi>
                  {deep ? " and below" : ""}
                  {channels === null ? "" : `, over ${channels.join(", ")}`}, since <Time date={createdAt} />
                </li>
              ))}
            </ul>
            {nextCursor === null ? null : <p class="muted">The first {TOPICS} by name.</p>}
          </>
        )
      }
    </Card>
  );
}

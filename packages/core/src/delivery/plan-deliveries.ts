import { compareBytewise } from "../foundation/compare-bytewise.ts";
import { type FallbackInput, INBOX_CHANNEL, type MemberGroup } from "../notifications/index.ts";
import type { AddressOf, Audience } from "./audience.ts";
import type { DeliveryContext } from "./context.ts";
import type { FanOutPart, NewFanOut } from "./fan-out-storage.ts";
import type { NewDelivery } from "./new-send.ts";

/** How the deliveries of an audience are made. */
export interface MakingDeliveries {
  readonly fallback: Required<FallbackInput> | null;
  readonly isContract: boolean;
  /** The number of the first chain. @default 0 */
  readonly firstChain?: number;
}

/** Makes the deliveries of an audience, undecided. */
export function deliveriesOf(
  { ids }: Pick<DeliveryContext, "ids">,
  { channels: ofAll, users: named, addresses, groups }: Pick<Audience, "channels" | "users" | "addresses" | "groups">,
  { fallback, isContract, firstChain = 0 }: MakingDeliveries,
): readonly NewDelivery[] {
  let chain = firstChain - 1;
  const all = groups ?? [{ users: named, topic: null, channels: null }];
  const primaryOf = (
    channel: string,
    recipient: string,
    { recipientKind, topic }: Pick<NewDelivery, "recipientKind" | "topic">,
  ): NewDelivery => {
    chain += 1;
    const undecided = { topic, reason: null, reasonSource: null, digest: null };
    return { id: ids.next(), channel, recipient, recipientKind, chain, isFallback: false, status: "pending", ...undecided, dueInMs: 0 };
  };
  const [first] = ofAll;
  const ofUser = (userId: string, channel: string, { topic, channels }: Omit<MemberGroup, "users">): readonly NewDelivery[] => {
    // A contract's recipients are addresses, but for the inbox.
    const primary = primaryOf(channel, userId, { recipientKind: isContract && channel !== INBOX_CHANNEL ? "address" : "user", topic });
    if (fallback === null || channel !== first || channels?.includes(fallback.channel) === false) {
      return [primary];
    }
    const dueInMs = channel === INBOX_CHANNEL && fallback.afterMs > 0 ? fallback.afterMs : null;
    return [primary, { ...primary, id: ids.next(), channel: fallback.channel, isFallback: true, status: "waiting", dueInMs }];
  };
  const ofUsers = all.flatMap(({ users, ...group }) =>
    channelsLeft(ofAll, group.channels).flatMap((channel) => users.flatMap((userId) => ofUser(userId, channel, group))),
  );
  const address = { recipientKind: "address", topic: null } as const;
  return [...ofUsers, ...addresses.map(({ channel, address: recipient }) => primaryOf(channel, recipient, address))];
}

/** Those of a notification's channels that are left for somebody; null leaves all. */
function channelsLeft(channels: readonly string[], left: readonly string[] | null): readonly string[] {
  return left === null ? channels : channels.filter((channel) => left.includes(channel));
}

/** The users whose inbox gets an item at once, sorted bytewise: those who did not switch it off. */
export function placedUsers(users: readonly string[], deliveries: readonly NewDelivery[]): readonly string[] {
  const placed = new Set(
    deliveries.filter(({ channel, status }) => channel === INBOX_CHANNEL && status !== "skipped").map(({ recipient }) => recipient),
  );
  return users.filter((userId) => placed.has(userId)).sort(compareBytewise);
}

/** How the deliveries of a fan-out are made, as its plan in JSON says it. */
interface FanOutPlan extends Pick<MakingDeliveries, "fallback" | "isContract"> {
  readonly channels: readonly string[];
  /** The keys of the type's digests, each with its channel: every part has the same. */
  readonly keys: readonly (readonly [channel: string, key: string])[];
}

/** The plan as it is kept. One of topics has a form of its own: a process that knows of none cannot make such deliveries, and leaves them to others. */
type KeptPlan = FanOutPlan | { readonly ofTopics: FanOutPlan };

/** A large audience, whose deliveries are made part by part. */
export function fanOutOf(
  { channels: all, users, addresses, topics, everyone }: Pick<Audience, "channels" | "users" | "addresses" | "topics" | "everyone">,
  { fallback, isContract, keys }: MakingDeliveries & { readonly keys: ReadonlyMap<string, string> },
): NewFanOut {
  // Everyone's inbox items are placed, and no deliveries.
  const channels = everyone === undefined ? all : all.filter((name) => name !== INBOX_CHANNEL);
  const byChannel = new Map<string, string[]>();
  for (const { channel, address } of addresses) {
    const known = byChannel.get(channel) ?? [];
    known.push(address);
    byChannel.set(channel, known);
  }
  const plan: FanOutPlan = { channels, fallback, isContract, keys: [...keys] };
  const kept: KeptPlan = topics === undefined ? plan : { ofTopics: plan };
  return { plan: JSON.stringify(kept), users, addresses: byChannel, chainsEach: channels.length + (fallback === null ? 0 : 1) };
}

/** Makes the deliveries of a part of a large audience, undecided, and finds the keys of their digests. */
export function deliveriesOfPart(
  context: Pick<DeliveryContext, "ids">,
  part: FanOutPart,
): { readonly deliveries: readonly NewDelivery[]; readonly keys: ReadonlyMap<string, string> } {
  const kept = JSON.parse(part.plan) as KeptPlan;
  const { channels, fallback, isContract, keys } = "ofTopics" in kept ? kept.ofTopics : kept;
  const { channel, recipients, place, topic, channels: left } = part;
  const addresses = channel === null ? [] : recipients.map((address): AddressOf => ({ channel, address }));
  const users = channel === null ? recipients : [];
  const audience = { channels, users, addresses, groups: [{ users, topic, channels: left }] };
  const deliveries = deliveriesOf(context, audience, { fallback, isContract, firstChain: place * channels.length });
  return { deliveries, keys: new Map(keys) };
}

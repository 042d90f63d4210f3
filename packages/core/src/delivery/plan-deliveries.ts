import { compareBytewise, type FallbackInput, INBOX_CHANNEL } from "../notifications/index.ts";
import type { AddressOf, Audience } from "./audience.ts";
import type { DeliveryContext } from "./context.ts";
import type { NewDelivery } from "./delivery-storage.ts";
import type { FanOutPart, NewFanOut } from "./fan-out-storage.ts";

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
  { channels, users, addresses }: Pick<Audience, "channels" | "users" | "addresses">,
  { fallback, isContract, firstChain = 0 }: MakingDeliveries,
): readonly NewDelivery[] {
  let chain = firstChain - 1;
  const primaryOf = (channel: string, recipient: string, recipientKind: NewDelivery["recipientKind"]): NewDelivery => {
    chain += 1;
    const undecided = { reason: null, reasonSource: null, digest: null };
    return { id: ids.next(), channel, recipient, recipientKind, chain, isFallback: false, status: "pending", ...undecided, dueInMs: 0 };
  };
  const ofUsers = channels.flatMap((channel, order) =>
    users.flatMap((userId): NewDelivery[] => {
      // A contract's recipients are addresses, but for the inbox.
      const primary = primaryOf(channel, userId, isContract && channel !== INBOX_CHANNEL ? "address" : "user");
      if (fallback === null || order > 0) {
        return [primary];
      }
      const dueInMs = channel === INBOX_CHANNEL && fallback.afterMs > 0 ? fallback.afterMs : null;
      return [primary, { ...primary, id: ids.next(), channel: fallback.channel, isFallback: true, status: "waiting", dueInMs }];
    }),
  );
  return [...ofUsers, ...addresses.map(({ channel, address }) => primaryOf(channel, address, "address"))];
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

/** A large audience, whose deliveries are made part by part. */
export function fanOutOf(
  { channels, users, addresses }: Audience,
  { fallback, isContract, keys }: MakingDeliveries & { readonly keys: ReadonlyMap<string, string> },
): NewFanOut {
  const byChannel = new Map<string, string[]>();
  for (const { channel, address } of addresses) {
    const known = byChannel.get(channel) ?? [];
    known.push(address);
    byChannel.set(channel, known);
  }
  const plan: FanOutPlan = { channels, fallback, isContract, keys: [...keys] };
  return { plan: JSON.stringify(plan), users, addresses: byChannel, chainsEach: channels.length + (fallback === null ? 0 : 1) };
}

/** Makes the deliveries of a part of a large audience, undecided, and finds the keys of their digests. */
export function deliveriesOfPart(
  context: Pick<DeliveryContext, "ids">,
  part: FanOutPart,
): { readonly deliveries: readonly NewDelivery[]; readonly keys: ReadonlyMap<string, string> } {
  const { channels, fallback, isContract, keys } = JSON.parse(part.plan) as FanOutPlan;
  const { channel, recipients, place } = part;
  const addresses = channel === null ? [] : recipients.map((address): AddressOf => ({ channel, address }));
  const audience = { channels, users: channel === null ? recipients : [], addresses };
  const deliveries = deliveriesOf(context, audience, { fallback, isContract, firstChain: place * channels.length });
  return { deliveries, keys: new Map(keys) };
}

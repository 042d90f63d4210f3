import type { ClaimedDelivery, Delivery, DeliveryStorage } from "../delivery/index.ts";
import type { Held, MemorySends } from "./memory-sends.ts";

/** Leases of the deliveries of a memory storage. */
export function memoryDeliveryLeases(sends: MemorySends): DeliveryStorage["leases"] {
  return {
    claim: async ({ owner, at, leaseMs, limit, perEndpoint, channels, exceptTenants, exceptEndpoints }) => {
      const taken = new Map<string, number>();
      const claimed: ClaimedDelivery[] = [];
      const refused = new Set(exceptEndpoints.map((endpoint) => JSON.stringify([endpoint.channel, endpoint.recipient])));
      for (const { send, delivery } of sends.openInOrder((one) => isFree(one) && one.dueAt !== null && one.dueAt <= at)) {
        const endpoint = JSON.stringify([delivery.channel, delivery.recipient]);
        const count = taken.get(endpoint) ?? 0;
        const isWanted = channels.includes(delivery.channel) && !exceptTenants.includes(delivery.tenant) && !refused.has(endpoint);
        if (!isWanted || count >= perEndpoint || claimed.length >= limit) {
          continue;
        }
        taken.set(endpoint, count + 1);
        const lease = { leaseOwner: owner, leaseUntil: new Date(at.getTime() + leaseMs) };
        const leased = { ...delivery, ...lease, attempt: delivery.attempt + 1, fence: delivery.fence + 1 };
        send.replace(leased);
        claimed.push(claimedOf({ send, delivery: leased }));
      }
      return claimed;
    },
    leasedTo: async (owner) => sends.openInOrder(({ leaseOwner }) => leaseOwner === owner).map(claimedOf),
    renew: async (owner, leases, { at, leaseMs }) =>
      leases.filter(({ id, fence }) => {
        const held = sends.openOne(id);
        if (held?.delivery.leaseOwner !== owner || held.delivery.fence !== fence) {
          return false;
        }
        held.send.replace({ ...held.delivery, leaseUntil: new Date(at.getTime() + leaseMs) });
        return true;
      }),
    lost: async ({ at, limit, furthestMs, notOwnedBy }) =>
      sends
        .openInOrder(() => true)
        .flatMap(({ delivery: { id, fence, attempt, leaseOwner, leaseUntil } }) => {
          if (leaseOwner === null || leaseUntil === null) {
            return [];
          }
          const isOver = leaseUntil <= at || leaseUntil.getTime() > at.getTime() + furthestMs;
          const isLost = isOver || (notOwnedBy !== undefined && leaseOwner !== notOwnedBy);
          return isLost ? [{ id, fence, attempt, owner: leaseOwner, until: leaseUntil }] : [];
        })
        .slice(0, limit),
    nextDueInMs: async (at) => {
      const times = sends.openInOrder(() => true).map(({ delivery }) => (delivery.leaseUntil ?? delivery.dueAt)?.getTime());
      const next = times.reduce<number>((least, time) => Math.min(least, time ?? least), Number.POSITIVE_INFINITY);
      return next === Number.POSITIVE_INFINITY ? null : Math.max(0, next - at.getTime());
    },
  };
}

function isFree({ status, leaseOwner }: Delivery): boolean {
  return status === "pending" && leaseOwner === null;
}

function claimedOf({ send, delivery }: Held): ClaimedDelivery {
  return { delivery, notification: { ...send.kept.notification }, details: send.details };
}

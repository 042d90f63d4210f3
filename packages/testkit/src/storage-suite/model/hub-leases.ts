import type { HubStorage } from "@belfry/core/storage";

/** Everything that the model does with leases of records, in the words of the storage. */
export function recordLeasesOf(hub: HubStorage): HubStorage["leases"] {
  return hub.leases;
}

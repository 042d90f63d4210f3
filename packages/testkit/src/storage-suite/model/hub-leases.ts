import type { SourceRecord } from "@belfry/core";
import type { ClaimedRecord, HubStorage, RecordClaim, RecordLease } from "@belfry/core/storage";

/** What the model does with leases of records. */
export interface RecordLeases {
  claim(request: RecordClaim): Promise<readonly ClaimedRecord[]>;
  leasedTo(owner: string): Promise<readonly ClaimedRecord[]>;
  renew(
    owner: string,
    leases: readonly RecordLease[],
    options: { readonly at: Date; readonly leaseMs: number },
  ): Promise<readonly RecordLease[]>;
  /** Takes records back whose worker was lost, as a worker does. */
  takeBackLost(request: Parameters<HubStorage["takeBackRecords"]>[0]): Promise<readonly SourceRecord[]>;
  nextDueInMs(at: Date): Promise<number | null>;
}

/** Everything that the model does with leases of records, in the words of the storage. */
export function recordLeasesOf(hub: HubStorage): RecordLeases {
  return {
    claim: (request) => hub.claimRecords(request),
    leasedTo: (owner) => hub.recordsLeasedTo(owner),
    renew: (owner, leases, options) => hub.renewRecords(owner, leases, options),
    takeBackLost: (request) => hub.takeBackRecords(request),
    nextDueInMs: (at) => hub.nextRecordDueInMs(at),
  };
}

import type { ChannelBacklog, WorkHealth } from "@belfry/core";
import type { Sample } from "./metrics.ts";
import type { Watched } from "./watched.ts";

interface TenantBacklog {
  readonly tenant: string;
  readonly channels: readonly ChannelBacklog[];
  readonly work: Pick<WorkHealth, "hub" | "digests">;
}

/** Reads how things stand: of all processes from the database, and of this one from its workers. */
export class Standing {
  readonly #watched: Watched;
  #reading: Promise<readonly TenantBacklog[] | null> | null = null;
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Reads every gauge. What the database does not tell is left out, and `storageUp` is 0. */
  async read(): Promise<readonly Sample[]> {
    const backlogs = await this.#backlogs();
    const here = this.#here();
    return [{ gauge: "storageUp", labels: {}, value: backlogs === null ? 0 : 1 }, ...here, ...(backlogs ?? []).flatMap(samplesOf)];
  }

  /** The last answer, while it counts: it costs in proportion to what waits. Whoever asks meanwhile waits for the same one. */
  #backlogs(): Promise<readonly TenantBacklog[] | null> {
    const nowMs = performance.now();
    if (this.#reading === null || nowMs - this.#readAtMs >= this.#watched.refreshMs) {
      this.#readAtMs = nowMs;
      // The service logs what is wrong with its storage; here it is a number.
      this.#reading = this.#read().catch(() => null);
    }
    return this.#reading;
  }

  async #read(): Promise<readonly TenantBacklog[]> {
    const found: TenantBacklog[] = [];
    for (const { tenantId: tenant, operator } of this.#watched.tenants) {
      found.push({ tenant, channels: await operator.backlog(), work: await operator.work("1h") });
    }
    return found;
  }

  #here(): readonly Sample[] {
    const { service } = this.#watched;
    const workers = service.workers().flatMap(({ name, concurrency, attempting, leased }): readonly Sample[] => {
      const labels = { worker: name.replaceAll(" ", "_") };
      return [
        { gauge: "concurrency", labels, value: concurrency },
        { gauge: "attempting", labels, value: attempting },
        { gauge: "leases", labels, value: leased },
      ];
    });
    return [...workers, { gauge: "connected", labels: {}, value: service.connectedUsers }];
  }
}

function samplesOf({ tenant, channels, work: { hub, digests } }: TenantBacklog): readonly Sample[] {
  const ofChannels = channels.flatMap(({ channel, waiting, oldestDueAt }): readonly Sample[] => {
    return [
      ...Object.entries(waiting).map(([state, value]): Sample => ({ gauge: "waiting", labels: { tenant, channel, state }, value })),
      { gauge: "oldestDue", labels: { tenant, channel }, value: secondsSince(oldestDueAt) },
    ];
  });
  return [
    ...ofChannels,
    { gauge: "hubWaiting", labels: { tenant }, value: hub.waiting },
    { gauge: "hubOldestDue", labels: { tenant }, value: secondsSince(hub.oldestDueAt) },
    { gauge: "digestsOpen", labels: { tenant }, value: digests.waiting },
  ];
}

function secondsSince(time: Date | null): number {
  return time === null ? 0 : Math.max(0, Date.now() - time.getTime()) / 1_000;
}

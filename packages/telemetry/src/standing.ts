import type { ChannelBacklog, WorkHealth } from "@belfry/core";
import type { Sample } from "./metrics.ts";
import type { Watched } from "./watched.ts";

interface TenantBacklog {
  readonly tenant: string;
  readonly channels: readonly ChannelBacklog[];
  readonly work: WorkHealth;
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
    return [{ gauge: "storageUp", labels: {}, value: backlogs === null ? 0 : 1 }, ...here, ...samplesOfAll(backlogs ?? [])];
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
    const workers = service.workers().flatMap(({ name, concurrency, attempting, leased, lagMs }): readonly Sample[] => {
      const labels = { worker: labelOf(name) };
      return [
        { gauge: "concurrency", labels, value: concurrency },
        { gauge: "attempting", labels, value: attempting },
        { gauge: "leases", labels, value: leased },
        { gauge: "workerLag", labels, value: (lagMs ?? 0) / 1_000 },
      ];
    });
    return [...workers, { gauge: "connected", labels: {}, value: service.connectedUsers }];
  }
}

/** The figures of each tenant, and of workers, which are the same for all tenants. */
function samplesOfAll(backlogs: readonly TenantBacklog[]): readonly Sample[] {
  const [first] = backlogs;
  return [...backlogs.flatMap(samplesOf), ...(first === undefined ? [] : samplesOfWorkers(first.work))];
}

function samplesOfWorkers({ workers, others }: WorkHealth): readonly Sample[] {
  const seen = [...workers.map(({ name }) => ({ name, isLost: false })), ...others];
  const names = [...new Set(seen.map(({ name }) => name))];
  return names.flatMap((name) =>
    (["alive", "lost"] as const).map((state): Sample => {
      const value = seen.filter((worker) => worker.name === name && worker.isLost === (state === "lost")).length;
      return { gauge: "workers", labels: { worker: labelOf(name), state }, value };
    }),
  );
}

/** A worker's name as a label. */
function labelOf(name: string): string {
  return name.replaceAll(" ", "_");
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
    { gauge: "digestsOldestDue", labels: { tenant }, value: secondsSince(digests.oldestDueAt) },
  ];
}

function secondsSince(time: Date | null): number {
  return time === null ? 0 : Math.max(0, Date.now() - time.getTime()) / 1_000;
}

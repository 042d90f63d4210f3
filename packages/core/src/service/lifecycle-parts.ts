import type { Broadcasting } from "../audiences/index.ts";
import type { Heartbeat } from "../operator/index.ts";
import { type Feeds, type ProcessListeners, routeSignals, type Transport } from "../realtime/index.ts";
import type { DueWorker } from "../work/due-worker.ts";
import type { Loop } from "../work/loop.ts";
import type { LifecycleParts } from "./lifecycle.ts";
import type { RoleWork } from "./roles.ts";
import type { Storage } from "./storage.ts";

/** Work in the background that a loop does. */
interface Chore {
  readonly loop: Loop;
}

/** Writes that are collected. */
interface Writer {
  drain(): Promise<void>;
}

/** The parts of a service that start and stop. */
export interface LivingParts {
  readonly context: {
    readonly storage: Pick<Storage, "open" | "close">;
    readonly writer: Writer;
    readonly sendWriter: Writer;
    readonly eventWriter: Writer;
  };
  readonly feeds: Feeds;
  readonly fanOut: Chore;
  readonly dueItems: Chore;
  readonly retrying: Chore;
  readonly alarms: Chore;
  readonly retention: Chore;
  readonly upkeep: Chore;
  readonly heartbeat: Heartbeat;
  readonly broadcasting: Broadcasting;
  readonly workers: readonly DueWorker<unknown>[];
  readonly listeners: Omit<ProcessListeners, "broadcasts">;
  readonly transport: Transport;
}

/** Says how the parts of a service start and stop. Chores that `work` leaves to other processes never run. */
export function lifecyclePartsOf(parts: LivingParts, work: RoleWork): LifecycleParts {
  const { context, feeds, fanOut, dueItems, broadcasting, retrying, alarms, retention, upkeep, workers } = parts;
  const { heartbeat, listeners, transport } = parts;
  const { presence } = listeners;
  const { storage, writer, sendWriter, eventWriter } = context;
  const watching = [alarms, upkeep].map(({ loop }) => loop);
  const chores = [...[fanOut, dueItems, retrying, retention].map(({ loop }) => loop), ...watching];
  const isOwn = (chore: Loop) => (watching.includes(chore) ? work.watches : chore === retrying.loop ? work.retries : work.delivers);
  const loops = chores.filter(isOwn);
  // The others are idle, so they are stopped at once: whoever wakes them wakes nothing.
  void Promise.all(chores.filter((chore) => !isOwn(chore)).map((chore) => chore.stop()));
  return {
    open: () => storage.open(),
    listen: () => transport.start(routeSignals(feeds, { ...listeners, broadcasts: broadcasting })),
    resume() {
      for (const part of [...loops, broadcasting, ...workers, presence, heartbeat, feeds.inbox, feeds.hub]) {
        part.start();
      }
    },
    wake() {
      broadcasting.placeFor(null);
      for (const part of [...loops, broadcasting, ...workers, heartbeat, feeds.inbox, feeds.hub]) {
        part.wake();
      }
    },
    async drain() {
      await Promise.all([...loops, broadcasting].map((part) => part.stop()));
      await Promise.all(workers.map((worker) => worker.stop()));
      // Handlers that were under way may have created something.
      await Promise.all([writer.drain(), sendWriter.drain(), eventWriter.drain()]);
    },
    // Presence first: who leaves while the rest closes is nobody's business any more.
    close: [
      ...[() => presence.stop(), () => heartbeat.stop(), () => feeds.inbox.stop(), () => feeds.hub.stop()],
      ...[() => transport.stop(), () => storage.close()],
    ],
  };
}

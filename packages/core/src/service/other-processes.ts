import { PausesInForce, RestsElsewhere } from "../delivery/index.ts";
import type { Clock } from "../foundation/clock.ts";
import { type PresenceOptions, type ProcessListeners, type Signal, type Transport, type Work, WorkerCalls } from "../realtime/index.ts";
import type { DueWorker } from "../work/due-worker.ts";
import type { Storage } from "./storage.ts";

/** The parts that reach other processes. */
interface ReachingParts {
  readonly transport: Transport;
  readonly storage: Pick<Storage, "holds" | "presence">;
  readonly clock: Clock;
}

/** How the parts of a service tell other processes of something, and what they know of them. */
export function otherProcesses({ transport, storage: { holds }, clock }: ReachingParts) {
  const publish = (signals: readonly Signal[]) => (signals.length > 0 ? transport.publish(signals) : undefined);
  // Nobody else hears a local one.
  const calls = new WorkerCalls({ publish: transport.isLocal === true ? () => undefined : publish, clock });
  return {
    publish,
    pauses: new PausesInForce({ holds, clock }),
    tellOfPauses: () => publish([{ topic: "pauses" }]),
    rests: new RestsElsewhere(() => publish([{ topic: "rests" }])),
    placeConnected: (tenant: string) => publish([{ topic: "broadcast", tenant }]),
    /** Wakes this process's worker, or calls those of other processes if it has none. */
    wakeOrCall(worker: Pick<DueWorker<unknown>, "wake"> | null, work: Work): void {
      if (worker === null) {
        calls.call(work);
      } else {
        worker.wake();
      }
    },
  };
}

/** Those of this process who hear what other processes tell, beside the broadcasts. */
export function listenersOf(
  { pauses, rests, presence }: Pick<ReturnType<typeof otherProcesses>, "pauses" | "rests"> & Pick<ProcessListeners, "presence">,
  workers: Readonly<Record<Work, Pick<DueWorker<unknown>, "wake"> | null>>,
): Omit<ProcessListeners, "broadcasts"> {
  return {
    presence,
    wake: (work) => workers[work]?.wake(),
    pausesChanged: () => pauses.changed(),
    restsChanged() {
      rests.areNews = true;
      workers.deliveries?.wake();
    },
  };
}

/** Where it is known who is connected to which instance: with the transport, which says itself when it fails, or the storage. */
export function presenceOf({ transport, storage }: Omit<ReachingParts, "clock">): Pick<PresenceOptions, "storage" | "level"> {
  return transport.presence === undefined ? { storage: storage.presence, level: "warn" } : { storage: transport.presence, level: "debug" };
}

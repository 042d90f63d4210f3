import type { HealthRange, WorkHealth } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import type { Tone } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { duration, number } from "../state/format.ts";
import { BarChart, type BarPart } from "./bar-chart.tsx";
import { Figure, SPANS } from "./figures.tsx";

type Work = Json<WorkHealth>;

const RECORDS: readonly BarPart[] = [
  { name: "completed", tone: "good" },
  { name: "failed", tone: "bad" },
];

/** The work in the background: the hub and digests where there is something to say, and the workers. */
export function WorkCards({ work, range }: { readonly work: Work; readonly range: HealthRange }) {
  const { hub, digests } = work;
  return (
    <>
      {hub.waiting + hub.succeeded + hub.failed === 0 ? null : <HubCard hub={hub} range={range} />}
      {digests.waiting === 0 ? null : (
        <section class="card" aria-labelledby="digests">
          <div class="channel-head">
            <h2 id="digests">Digests</h2>
          </div>
          <dl class="figures">
            <Figure name="Open windows">{counted(digests.waiting)}</Figure>
            <WaitingFigures of={digests} />
          </dl>
        </section>
      )}
      <WorkersCard work={work} />
    </>
  );
}

/** What the server counts it counts up to 10,000. */
const MOST = 10_000;

function counted(count: number): string {
  return count >= MOST ? `${number(MOST)} or more` : number(count);
}

function WaitingFigures({ of: { due, oldestDueAt } }: { readonly of: Pick<Work["hub"], "due" | "oldestDueAt"> }) {
  return (
    <>
      <Figure name="Due">{counted(due)}</Figure>
      <Figure name="Oldest due">{oldestDueAt === null ? "none" : <Time date={oldestDueAt} />}</Figure>
    </>
  );
}

function HubCard({ hub, range }: { readonly hub: Work["hub"]; readonly range: HealthRange }) {
  const { succeeded, failed, waiting, p50Ms, p95Ms, buckets } = hub;
  return (
    <section class="card" aria-labelledby="hub">
      <div class="channel-head">
        <h2 id="hub">Hub</h2>
      </div>
      <dl class="figures">
        <Figure name="Completed">{number(succeeded)}</Figure>
        <Figure name="Failed">{number(failed)}</Figure>
        <Figure name="Waiting">{counted(waiting)}</Figure>
        <WaitingFigures of={hub} />
        <Figure name="p50 time">{p50Ms === null ? "–" : duration(p50Ms)}</Figure>
        <Figure name="p95 time">{p95Ms === null ? "–" : duration(p95Ms)}</Figure>
      </dl>
      <BarChart
        title={`Handlers per ${SPANS[range]}`}
        description={`Bar chart of handlers over ${range}: ${number(succeeded)} completed, ${number(failed)} failed. The table below has the same figures.`}
        parts={RECORDS}
        bars={buckets.map((bucket) => ({ from: bucket.from, values: [bucket.succeeded, bucket.failed] }))}
      />
    </section>
  );
}

/** One line of the table of workers. */
interface WorkerLine {
  readonly key: string;
  readonly work: string;
  readonly where: string;
  readonly state: string;
  readonly tone: Tone;
  readonly leases: number;
  readonly concurrency: number | null;
  readonly lagMs: number | null;
  /** When it said something last; null for the process that answers. */
  readonly seenAt: string | null;
}

/** The workers of this process, those of others as they said last, and those that hold leases and say nothing, as of older versions. */
function linesOf({ workers, others, leases }: Work): readonly WorkerLine[] {
  const own = workers.map(
    (worker): WorkerLine => ({ ...shownWorker(worker), key: `own ${worker.name}`, where: "this process", seenAt: null }),
  );
  const seen = others.map(({ instance, isLost, seenAt, ...worker }): WorkerLine => {
    const shown = { ...shownWorker(worker), key: `${instance} ${worker.name}`, where: `process …${instance.slice(-6)}`, seenAt };
    return isLost ? { ...shown, state: "lost", tone: "bad" } : shown;
  });
  const known = new Set([...workers, ...others].map(({ owner }) => owner));
  const silent = leases
    .filter(({ owner }) => !known.has(owner))
    .map(({ work, owner, leases: held }): WorkerLine => {
      const shown = { key: `${work} ${owner}`, work, where: `worker …${owner.slice(-6)}`, state: "holds leases", leases: held };
      return { ...shown, tone: "neutral", concurrency: null, lagMs: null, seenAt: null };
    });
  return [...own, ...seen, ...silent];
}

type ShownWorker = Pick<Work["workers"][number], "name" | "mode" | "attempting" | "leased" | "concurrency" | "lagMs">;

function shownWorker({ name, mode, attempting, leased, concurrency, lagMs }: ShownWorker): Omit<WorkerLine, "key" | "where" | "seenAt"> {
  const isBusy = attempting > 0 && mode === "working";
  return { work: name, state: isBusy ? "busy" : mode, tone: isBusy ? "good" : "neutral", leases: leased, concurrency, lagMs };
}

function WorkersCard({ work }: { readonly work: Work }) {
  const lines = linesOf(work);
  return (
    <section class="card" aria-labelledby="workers">
      <div class="channel-head">
        <h2 id="workers">Workers</h2>
      </div>
      {lines.length === 0 ? (
        <p class="muted">This process leaves the work to others, and none of them has said anything.</p>
      ) : (
        <table class="workers">
          <thead>
            <tr>
              <th scope="col">Works on</th>
              <th scope="col">Where</th>
              <th scope="col">State</th>
              <th scope="col">Leases</th>
              <th scope="col">Lag</th>
              <th scope="col">Heartbeat</th>
            </tr>
          </thead>
          <tbody>
            {lines.map(({ key, work: name, where, state, tone, leases, concurrency, lagMs, seenAt }) => (
              <tr key={key}>
                <th scope="row">{name}</th>
                <td>{where}</td>
                <td>
                  <span class={`tag ${tone}`}>{state}</span>
                </td>
                <td>{concurrency === null ? number(leases) : `${number(leases)} of ${number(concurrency)}`}</td>
                <td>{lagMs === null ? "–" : duration(lagMs)}</td>
                <td>{seenAt === null ? "–" : <Time date={seenAt} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="muted">
        Workers say every 10 seconds that they live; after 30 seconds without a word one counts as lost, and is shown for 15 minutes. Its
        leases run out, and others take over. The lag is for how long a task had been due when it was claimed, at the most in the last
        minutes.
      </p>
    </section>
  );
}

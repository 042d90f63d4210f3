import type { HealthRange, WorkHealth } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
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
  readonly leases: number;
  readonly concurrency: number | null;
  readonly until: string | null;
}

/** The workers of this process, and those of others that hold leases. */
function linesOf({ workers, leases }: Work): readonly WorkerLine[] {
  const heldBy = (owner: string | null) => leases.find((one) => one.owner === owner);
  const own = workers.map(({ name, owner, mode, attempting, leased, concurrency }) => ({
    ...{
      key: `own ${name}`,
      work: name,
      where: "this process",
      state: attempting > 0 && mode === "working" ? "busy" : mode,
      leases: leased,
    },
    ...{ concurrency, until: heldBy(owner)?.until ?? null },
  }));
  const others = leases
    .filter(({ owner }) => !workers.some((worker) => worker.owner === owner))
    .map(({ work, owner, leases: held, until }) => ({
      ...{ key: `${work} ${owner}`, work, where: `process …${owner.slice(-6)}`, state: "busy", leases: held, concurrency: null, until },
    }));
  return [...own, ...others];
}

function WorkersCard({ work }: { readonly work: Work }) {
  const lines = linesOf(work);
  return (
    <section class="card" aria-labelledby="workers">
      <div class="channel-head">
        <h2 id="workers">Workers</h2>
      </div>
      {lines.length === 0 ? (
        <p class="muted">This process leaves the work to others, and none of them holds a lease at this moment.</p>
      ) : (
        <table class="workers">
          <thead>
            <tr>
              <th scope="col">Works on</th>
              <th scope="col">Where</th>
              <th scope="col">State</th>
              <th scope="col">Leases</th>
              <th scope="col">Renewed until</th>
            </tr>
          </thead>
          <tbody>
            {lines.map(({ key, work: name, where, state, leases, concurrency, until }) => (
              <tr key={key}>
                <th scope="row">{name}</th>
                <td>{where}</td>
                <td>{state}</td>
                <td>{concurrency === null ? number(leases) : `${number(leases)} of ${number(concurrency)}`}</td>
                <td>{until === null ? "–" : <Time date={until} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="muted">
        A lease that is not renewed in time is lost: its worker has ended, or hangs. Idle workers of other processes hold no leases, and are
        not shown.
      </p>
    </section>
  );
}

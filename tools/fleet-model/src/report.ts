import { type DeliveryCost, type FleetCosts, KINDS, type TransportName } from "./costs.ts";
import { type Limits, type Need, type Plan, perSecondAt, planFor } from "./plan.ts";

const TRANSPORTS: readonly TransportName[] = ["PostgreSQL", "Redis"];

/** A table of Markdown: for each need, what it takes with and without Redis. */
export function planTable(needs: readonly Need[], costs: FleetCosts, limits: Limits): readonly string[] {
  const heading = ["sockets", "a day", "a second", "signals by", "web", "workers", "database cores", "Redis cores", "memory"];
  const lines = needs.flatMap((need) =>
    TRANSPORTS.map((transport) => [
      whole(need.sockets),
      whole(need.perDay),
      whole(perSecondAt(need)),
      transport,
      ...planCells(planFor(need, { costs, transport, limits })),
    ]),
  );
  return tableOf(heading, lines);
}

/** A table of Markdown: the costs, in microseconds of CPU. */
export function costTable({ transports, delivery }: FleetCosts): readonly string[] {
  const columns = TRANSPORTS.flatMap((transport) => {
    const { web, database, redis } = transports[transport];
    return [
      { name: `process, ${transport}`, of: web },
      { name: `database, ${transport}`, of: database },
      ...(transport === "Redis" ? [{ name: "Redis", of: redis }] : []),
    ];
  });
  const lines = KINDS.map((kind) => [kind, ...columns.map(({ of }) => micros(of[kind]))]);
  const ofDeliveries = ({ worker, database }: DeliveryCost) =>
    columns.map(({ name }) => (name === "Redis" ? "0" : micros(name.startsWith("process") ? worker : database)));
  const deliveries = [
    ["deliveries, one worker", ...ofDeliveries(delivery.alone)],
    ["deliveries, two workers", ...ofDeliveries(delivery.shared)],
  ];
  return tableOf(["µs of CPU for one of", ...columns.map(({ name }) => name)], [...lines, ...deliveries]);
}

/** Lines of a table of Markdown. */
export function tableOf(heading: readonly string[], lines: readonly (readonly string[])[]): readonly string[] {
  return [heading, heading.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`);
}

function planCells(plan: Plan | null): readonly string[] {
  if (plan === null) {
    return ["no number is enough", "–", "–", "–", "–"];
  }
  const { web, workers, databaseCores, redisCores, bytes } = plan;
  return [whole(web), whole(workers), cores(databaseCores), cores(redisCores), `${(bytes / 2 ** 30).toFixed(1)} GiB`];
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function cores(value: number): string {
  return value < 10 ? value.toFixed(1) : whole(value);
}

function micros(value: number): string {
  return value < 10 ? value.toFixed(1) : whole(value);
}

import { parseArgs } from "node:util";
import { readCosts } from "./costs.ts";
import { DEFAULT_LIMITS, type Need } from "./plan.ts";
import { costTable, planTable } from "./report.ts";

const USAGE = `pnpm model                   prints what fleets of some sizes need, from the costs of costs.json
  --sockets 1000000 --per-day 1000000000   of one size instead
  --peak 3                  how many times more than on average come at the peak
  --online 0.3              the share of notifications whose user has a socket open
  --deliveries 0.2          deliveries over channels for each notification
  --fill 0.6                the share of a core that may be used at the peak
  --sockets-per-process 20000, --shards 65536`;

const OPTIONS = {
  help: { type: "boolean", default: false },
  sockets: { type: "string" },
  "per-day": { type: "string" },
  peak: { type: "string", default: "3" },
  online: { type: "string", default: "0.3" },
  deliveries: { type: "string", default: "0.2" },
  fill: { type: "string", default: String(DEFAULT_LIMITS.fill) },
  "sockets-per-process": { type: "string", default: String(DEFAULT_LIMITS.socketsPerProcess) },
  shards: { type: "string", default: String(DEFAULT_LIMITS.shards) },
} as const;

/** Sockets, and notifications a day. */
const SIZES = [
  [10_000, 1e6],
  [100_000, 5e7],
  [300_000, 2e8],
  [1_000_000, 1e9],
] as const;

/** A number that is not below 0. @throws Error for anything else */
function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text === "" || !(value >= 0)) {
    throw new Error(`--${name} takes a number, got ${JSON.stringify(text)}.`);
  }
  return value;
}

async function main(): Promise<readonly string[]> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) {
    return [USAGE];
  }
  const { sockets, "per-day": perDay } = values;
  const sizes =
    sockets === undefined || perDay === undefined ? SIZES : [[numberOf("sockets", sockets), numberOf("per-day", perDay)] as const];
  const [peak, online, deliveries] = [
    numberOf("peak", values.peak),
    numberOf("online", values.online),
    numberOf("deliveries", values.deliveries),
  ];
  const needs = sizes.map(([openSockets, each]): Need => ({ sockets: openSockets, perDay: each, peak, online, deliveries }));
  const limits = {
    fill: numberOf("fill", values.fill),
    socketsPerProcess: numberOf("sockets-per-process", values["sockets-per-process"]),
    shards: numberOf("shards", values.shards),
  };
  const costs = await readCosts();
  const { perSecond } = costs.load;
  const { processors, node, system, measuredAt } = costs.machine;
  return [
    `Costs of ${measuredAt.slice(0, 10)}, at ${perSecond} notifications a second: ${processors}, ${system}, Node ${node}`,
    "",
    ...costTable(costs),
    "",
    `A peak of ${peak} × the average, ${100 * online} % of the users connected, ${deliveries} deliveries for a notification, cores at most ${100 * limits.fill} % full`,
    "",
    ...planTable(needs, costs, limits),
  ];
}

process.stdout.write(`${(await main()).join("\n")}\n`);

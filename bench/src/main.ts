import { parseArgs } from "node:util";
import { measureFleet } from "./fleet/fleet.ts";
import { measureModel } from "./fleet/model.ts";
import { printGrowth } from "./growth/growth.ts";
import { loadRows, pickRows } from "./harness/load-rows.ts";
import { profileRow } from "./harness/profile.ts";
import { detailsOf, tableOf } from "./harness/report.ts";
import { RESULTS_FILE, writeRows } from "./harness/results.ts";
import { type RowResult, runRow } from "./harness/run-row.ts";
import { scaleBy } from "./harness/scale.ts";
import { measureImport } from "./moving/import.ts";
import { measureSnapshot } from "./snapshot/snapshot.ts";
import { measureBodies } from "./stalls/hostile-bodies.ts";
import { measureIdleReaders } from "./stalls/idle-readers.ts";
import { measureSweeps } from "./stalls/sweeps.ts";
import { measureWorkers } from "./workers/workers.ts";

const USAGE = `pnpm bench                  measures every row, prints the table, and writes ${RESULTS_FILE}
pnpm bench 3a 6a            measures rows by their ids
pnpm bench --list           lists the rows
pnpm bench growth           measures how operations grow with the tables
pnpm bench stalls           measures how long hostile bodies, idle readers and sweeps keep others waiting
pnpm bench stalls sweeps    measures one of them: readers, bodies or sweeps
pnpm bench import           measures what the import of an old table takes, row by row and in batches
  --rows 20000              how many it has
pnpm bench workers          measures 1, 2, 4 and 8 workers, Belfry's own and those of BullMQ, and one beside a held snapshot
pnpm bench workers claims   measures one of them: claims or snapshot
  --deliveries 4000         how many are due; --snapshot 60 seconds
pnpm bench snapshot         measures broadcasts and creates to one inbox beside a snapshot that is held
  --changes 30000           how many of each there are meanwhile
pnpm bench fleet            measures what instances hear of each other, and their CPU, connected by PostgreSQL and by Redis
  --instances 1,2,4,6       how many there are, in one run after the other; --sockets 2000, --rate 60 notifications a second, --seconds 20
pnpm bench model            measures the costs that \`pnpm model\` goes by, and compares what it predicts of fleets with runs of 1, 2, 4 and 6 instances
pnpm bench model costs      one of them: costs or check; --instances 1,2,4,6 of the check, --sockets 2000, --rate 60 notifications a second, --seconds 20
  --scale 0.1               a tenth of the preloaded rows, for trials
  --rounds 5                fewer rounds, for trials
  --profile belfry          instead of measuring, tells where the CPU of this side goes`;

const OPTIONS = {
  list: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
  scale: { type: "string", default: "1" },
  rounds: { type: "string" },
  deliveries: { type: "string", default: "4000" },
  rows: { type: "string", default: "20000" },
  snapshot: { type: "string", default: "60" },
  changes: { type: "string", default: "30000" },
  profile: { type: "string" },
  instances: { type: "string" },
  sockets: { type: "string", default: "2000" },
  rate: { type: "string", default: "60" },
  seconds: { type: "string", default: "20" },
} as const;

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

async function measureRows(ids: readonly string[], { scale, rounds }: { readonly scale: number; readonly rounds: number | undefined }) {
  const results: RowResult[] = [];
  for (const row of pickRows(await loadRows(), ids)) {
    const result = await runRow(row, { scale, rounds });
    print(detailsOf(result));
    results.push(result);
    await writeRows([result]);
  }
  print(["", ...tableOf(results), "", `Written to ${RESULTS_FILE}.`]);
}

/** Measures what could keep others waiting: all of it, or the parts that are named. Readers come first, while the memory is fresh. */
async function measureStalls(names: readonly string[], scale: number): Promise<void> {
  const parts = { readers: measureIdleReaders, bodies: measureBodies, sweeps: () => measureSweeps(scale) };
  for (const [name, measure] of Object.entries(parts)) {
    if (names.length === 0 || names.includes(name)) {
      print(await measure());
    }
  }
}

/** A number above 0. @throws Error for anything else */
function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) {
    throw new Error(`--${name} takes a number above 0, got ${JSON.stringify(text)}.`);
  }
  return value;
}

/** How many instances there are, in one run after the other. */
function countsOf(instances: string): readonly number[] {
  return instances.split(",").map((count) => positive("instances", count));
}

/** How large a run of a fleet is. */
function loadOf({ sockets, rate, seconds }: Readonly<Record<"sockets" | "rate" | "seconds", string>>) {
  return { sockets: positive("sockets", sockets), perSecond: positive("rate", rate), seconds: positive("seconds", seconds) };
}

type Values = ReturnType<typeof readArguments>["values"];

function readArguments() {
  return parseArgs({ options: OPTIONS, allowPositionals: true });
}

/** What is measured beside the rows, by the name that the command gives it, with the names behind that. */
const OTHERS: Readonly<Record<string, (values: Values, names: readonly string[]) => Promise<void>>> = {
  growth: ({ scale }) => printGrowth(positive("scale", scale), print),
  workers: ({ deliveries, snapshot }, parts) =>
    measureWorkers({ deliveries: positive("deliveries", deliveries), snapshotSeconds: positive("snapshot", snapshot), parts }, print),
  import: async ({ rows }) => print(await measureImport(positive("rows", rows))),
  snapshot: ({ changes }) => measureSnapshot(positive("changes", changes), print),
  fleet: ({ instances, ...load }) => measureFleet({ instances: countsOf(instances ?? "6"), ...loadOf(load) }, print),
  model: ({ instances, ...load }, names) => measureModel(names, { instances: countsOf(instances ?? "1,2,4,6"), ...loadOf(load) }, print),
  stalls: ({ scale }, names) => measureStalls(names, positive("scale", scale)),
};

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  const [name = "", ...names] = positionals;
  const scale = positive("scale", values.scale);
  const measureOther = Object.hasOwn(OTHERS, name) ? OTHERS[name] : undefined;
  if (values.help) {
    print([USAGE]);
  } else if (values.list) {
    print((await loadRows()).map(({ id, what, cases }) => `${id}  ${what} (${cases.map((one) => one.name).join(", ")})`));
  } else if (measureOther) {
    await measureOther(values, names);
  } else if (values.profile !== undefined) {
    for (const row of pickRows(await loadRows(), positionals)) {
      print(await profileRow(row, { scale: scaleBy(scale), side: values.profile }));
    }
  } else {
    await measureRows(positionals, { scale, rounds: values.rounds === undefined ? undefined : positive("rounds", values.rounds) });
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const isUsage = error instanceof Error && error.cause === undefined;
  process.stderr.write(isUsage ? `${(error as Error).message}\n` : `${(error as Error).stack}\n`);
  if (!isUsage) {
    console.error((error as Error).cause);
  }
  process.exit(1);
}

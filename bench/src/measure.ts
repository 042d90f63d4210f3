/** One side of a comparison. */
export interface Contender {
  readonly name: string;
  /** The least number of operations in a slice; for operations that share costs. @default 1 */
  readonly atLeast?: number;
  /** Does `count` operations. */
  run(count: number): Promise<void>;
}

/** A comparison and its goals. */
export interface Comparison {
  /** The first one is Belfry. */
  readonly contenders: readonly Contender[];
  /** Goals for Belfry's rate over another contender's. */
  readonly goals: readonly { readonly against: string; readonly atLeast: number }[];
  /** The settings that decide the durability, and so the cost, for example `synchronous=FULL`. */
  readonly knobs: string;
  /** Throws unless both sides did the same work. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** A row of the goals' table. */
export interface BenchRow {
  readonly id: string;
  readonly what: string;
  open(): Promise<Comparison>;
}

/** Belfry's rate over another contender's: the median of the rounds, and its interval with 95 % certainty. */
export interface Ratio {
  readonly against: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly goal: number | null;
}

/** The figures of a measured row. */
export interface Measured {
  readonly id: string;
  readonly what: string;
  readonly knobs: string;
  readonly ratios: readonly Ratio[];
  /** By contender: operations a second, and microseconds of this process's CPU for one operation, as medians. */
  readonly rates: Readonly<Record<string, { readonly perSecond: number; readonly cpuMicros: number }>>;
}

interface Slice {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

const SLICE_MS = 100;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 15);

/**
 * Measures the contenders side by side, in one process, in rotated order, in slices of about 100 ms, after a round that
 * does not count. So a disturbance of the machine disturbs all of them alike.
 */
export async function measure(row: BenchRow): Promise<Measured> {
  const comparison = await row.open();
  try {
    const { contenders } = comparison;
    const counts = new Map<string, number>();
    for (const contender of contenders) {
      counts.set(contender.name, await calibrate(contender));
    }
    const slices = new Map<string, Slice[]>(contenders.map(({ name }) => [name, []]));
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const contender of rotate(contenders, round)) {
        const slice = await timed(contender, counts.get(contender.name) ?? 1);
        if (round > 0) {
          slices.get(contender.name)?.push(slice);
        }
      }
    }
    await comparison.check();
    return report(row, comparison, slices);
  } finally {
    await comparison.close();
  }
}

async function calibrate(contender: Contender): Promise<number> {
  const { atLeast = 1 } = contender;
  for (let count = atLeast; ; count *= 2) {
    // This takes the fastest of three runs: a checkpoint or a garbage collection in one run would make the slices tiny.
    const tookMs = Math.min(await duration(contender, count), await duration(contender, count), await duration(contender, count));
    if (tookMs >= SLICE_MS / 4) {
      return Math.max(atLeast, Math.round((count * SLICE_MS) / tookMs));
    }
  }
}

async function duration(contender: Contender, count: number): Promise<number> {
  const startedMs = performance.now();
  await contender.run(count);
  return performance.now() - startedMs;
}

async function timed(contender: Contender, count: number): Promise<Slice> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await contender.run(count);
  const tookMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (count * 1_000) / tookMs, cpuMicros: (user + system) / count };
}

function rotate<Item>(items: readonly Item[], by: number): readonly Item[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

function report(row: BenchRow, { contenders, goals, knobs }: Comparison, slices: ReadonlyMap<string, readonly Slice[]>): Measured {
  const [belfry, ...others] = contenders.map(({ name }) => name);
  const own = slices.get(belfry ?? "") ?? [];
  const ratios = others.map((against): Ratio => {
    const theirs = slices.get(against) ?? [];
    const sorted = own.map(({ perSecond }, round) => perSecond / (theirs[round]?.perSecond ?? Number.NaN)).sort((a, b) => a - b);
    const [low, high] = interval(sorted);
    return { against, median: median(sorted), low, high, goal: goals.find((goal) => goal.against === against)?.atLeast ?? null };
  });
  const rates = Object.fromEntries(
    contenders.map(({ name }) => {
      const of = slices.get(name) ?? [];
      const middle = (pick: (slice: Slice) => number) => median(of.map(pick).sort((a, b) => a - b));
      return [name, { perSecond: middle(({ perSecond }) => perSecond), cpuMicros: middle(({ cpuMicros }) => cpuMicros) }];
    }),
  );
  return { id: row.id, what: row.what, knobs, ratios, rates };
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The order statistics around the median with 95 % certainty (by the binomial's normal approximation). */
function interval(sorted: readonly number[]): readonly [number, number] {
  const spread = 0.98 * Math.sqrt(sorted.length);
  const low = Math.max(0, Math.floor(sorted.length / 2 - spread));
  const high = Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + spread) - 1);
  return [sorted[low] ?? Number.NaN, sorted[high] ?? Number.NaN];
}

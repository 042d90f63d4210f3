import type { Comparison, RatioCase, Scale, Side, Work } from "./row.ts";
import { requireSameAnswers, WorkLedger } from "./same-work.ts";
import { type Estimate, estimate } from "./statistics.ts";
import { Stopwatch, type Taken } from "./stopwatch.ts";

/** What an operation of a side costs: medians over the rounds. */
export interface SideFigures {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly serverMicros: number;
  /** What it came to. */
  readonly work: Work;
}

/** Belfry's side over another one, with 95 % certainty. */
export interface Ratio {
  readonly of: string;
  readonly against: string;
  /** Operations a second over the other's. */
  readonly rate: Estimate;
  /** The other's CPU for an operation over this one's; the database server's included where it is known. */
  readonly cpu: Estimate;
}

/** A measured comparison. */
export interface Compared {
  readonly knobs: string;
  readonly notes: readonly string[];
  readonly rounds: number;
  readonly sides: Readonly<Record<string, SideFigures>>;
  readonly ratios: readonly Ratio[];
}

const SLICE_MS = 100;
/** Below this a calibrating run says too little. */
const ENOUGH_MS = 25;
const CALIBRATIONS = 3;
/** What takes this long is not run again to calibrate. */
const LONG_MS = 1_000;
const ROUNDS = 15;
/** More rounds follow for so long while an interval of a goal is wider than this share of its figure, whichever side of the goal it is on. */
const WIDE = 0.04;
const MORE_ROUNDS_MS = 15_000;

/** After so many rounds the order of the sides is reversed. */
const ROUNDS_IN_ORDER = 5;

interface Slice extends Taken {
  readonly count: number;
}

/** Options of a measurement. */
export interface MeasureOptions {
  readonly scale: Scale;
  /** @default those of the case, and more while the figures are uncertain */
  readonly rounds?: number | undefined;
}

/**
 * Measures the sides of a case beside each other in this process: by turns, in slices of about 100 ms, after a round that does not count. A
 * disturbance of the machine disturbs all of them alike.
 */
export async function compare(one: RatioCase, { scale, rounds }: MeasureOptions): Promise<Compared> {
  const comparison = await one.open(scale);
  try {
    const { sides } = comparison;
    await requireSameAnswers(sides);
    const ledger = new WorkLedger(sides);
    await ledger.open();
    const timed = timer(comparison, ledger);
    const isEnough = (of: SlicesByName) => rounds !== undefined || areNarrow(one, ratiosOf(one, sides, of));
    const slices = await takeRounds(sides, timed, { least: rounds ?? one.rounds ?? ROUNDS, isEnough });
    const work = await ledger.close();
    const { knobs, notes = [] } = comparison;
    const taken = slices.values().next().value?.length ?? 0;
    return { knobs, notes, rounds: taken, sides: figuresOf(sides, slices, work), ratios: ratiosOf(one, sides, slices) };
  } finally {
    await comparison.close();
  }
}

type Timed = (side: Side, count: number) => Promise<Slice>;

function timer({ serverPid = null }: Comparison, ledger: WorkLedger): Timed {
  return async (side, count) => {
    const watch = new Stopwatch(serverPid);
    await side.run(count, watch);
    const taken = watch.stop();
    ledger.add(side.name, count);
    return { ...taken, count };
  };
}

interface Enough {
  readonly least: number;
  isEnough(slices: SlicesByName): boolean;
}

async function takeRounds(sides: readonly Side[], timed: Timed, { least, isEnough }: Enough): Promise<SlicesByName> {
  const counts = new Map<string, number>();
  for (const side of sides) {
    counts.set(side.name, await calibrate(side, timed));
  }
  const slices = new Map<string, Slice[]>(sides.map(({ name }) => [name, []]));
  let latest = Number.POSITIVE_INFINITY;
  for (let round = 0; ; round += 1) {
    const began = performance.now();
    for (const side of inTurn(sides, round)) {
      const slice = await timed(side, counts.get(side.name) ?? 1);
      if (round > 0) {
        slices.get(side.name)?.push(slice);
      }
    }
    const ended = performance.now();
    if (round === least) {
      latest = ended + MORE_ROUNDS_MS;
    }
    if (round >= least && (isEnough(slices) || ended + (ended - began) > latest)) {
      return slices;
    }
  }
}

/** Whether the figures that have goals are known well enough. */
function areNarrow({ goals }: RatioCase, ratios: readonly Ratio[]): boolean {
  return goals.every(({ ratio, of, against }) => {
    const found = ratios.find((other) => other.against === against && (of === undefined || other.of === of));
    return found === undefined || found[ratio].high - found[ratio].low <= WIDE * found[ratio].median;
  });
}

/** Finds how many operations fill a slice. */
async function calibrate(side: Side, timed: Timed): Promise<number> {
  const { step = 1 } = side;
  for (let count = step; ; count *= 2) {
    let tookMs = Number.POSITIVE_INFINITY;
    // This takes the fastest of a few runs: a checkpoint, a garbage collection or another program would make slices short.
    for (let run = 0; run < CALIBRATIONS && tookMs >= ENOUGH_MS && !(run > 0 && tookMs >= LONG_MS); run += 1) {
      tookMs = Math.min(tookMs, (await timed(side, count)).tookMs);
    }
    if (tookMs >= ENOUGH_MS) {
      return step * Math.max(1, Math.round((count * SLICE_MS) / tookMs / step));
    }
  }
}

/**
 * The order of the sides in a round. Each waits equally long for its next turn: what rested for longer costs more, since it has gone from the
 * processor's caches and its connections begin anew. Rounds in the reverse order follow, since what runs before a side may cost it something, too.
 */
function inTurn<Item>(sides: readonly Item[], round: number): readonly Item[] {
  return Math.floor(round / ROUNDS_IN_ORDER) % 2 === 0 ? sides : sides.toReversed();
}

type SlicesByName = ReadonlyMap<string, readonly Slice[]>;

function figuresOf(sides: readonly Side[], slices: SlicesByName, work: Readonly<Record<string, Work>>): Compared["sides"] {
  return Object.fromEntries(
    sides.map(({ name }) => {
      const of = slices.get(name) ?? [];
      const middle = (pick: (slice: Slice) => number) => estimate(of.map(pick)).median;
      const figures: SideFigures = {
        perSecond: middle(({ count, tookMs }) => (count * 1_000) / tookMs),
        cpuMicros: middle(({ count, cpuMicros }) => cpuMicros / count),
        serverMicros: middle(({ count, serverMicros }) => serverMicros / count),
        work: work[name] ?? {},
      };
      return [name, figures];
    }),
  );
}

/** Of the first side over each other, and of every pair that has a goal. */
function ratiosOf({ goals }: RatioCase, sides: readonly Side[], slices: SlicesByName): readonly Ratio[] {
  const [first = "", ...others] = sides.map(({ name }) => name);
  const isByFirst = goals.every(({ of = first }) => of === first);
  const pairs = new Map<string, readonly [string, string]>();
  for (const against of isByFirst ? others : []) {
    pairs.set(`${first} ${against}`, [first, against]);
  }
  for (const { of = first, against } of goals) {
    for (const name of [of, against]) {
      if (!slices.has(name)) {
        throw new Error(`A goal names the side ${JSON.stringify(name)}; there are ${[...slices.keys()].join(", ")}.`);
      }
    }
    pairs.set(`${of} ${against}`, [of, against]);
  }
  return [...pairs.values()].map(([of, against]) => {
    const theirs = slices.get(against) ?? [];
    const perRound = (cost: (slice: Slice) => number) =>
      estimate((slices.get(of) ?? []).map((own, round) => costOf(theirs[round], cost) / costOf(own, cost)));
    return {
      of,
      against,
      rate: perRound(({ tookMs }) => tookMs),
      cpu: perRound(({ cpuMicros, serverMicros }) => cpuMicros + serverMicros),
    };
  });
}

function costOf(slice: Slice | undefined, cost: (slice: Slice) => number): number {
  return slice === undefined ? Number.NaN : cost(slice) / slice.count;
}

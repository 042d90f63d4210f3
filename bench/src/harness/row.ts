import type { Stopwatch } from "./stopwatch.ts";

/** What a side has done so far, by name: `rows`, `bytes`, `notifications` and the like. */
export type Work = Readonly<Record<string, number>>;

/** One side of a comparison. */
export interface Side {
  readonly name: string;
  /** How many operations share costs: a slice has a multiple of it. @default 1 */
  readonly step?: number;
  /** Does `count` operations. What does not belong to them runs in {@link Stopwatch.without}. */
  run(count: number, watch: Stopwatch): Promise<void>;
  /** What it has done so far. Of each name that two sides have, an operation must come to the same; `bytes` may differ by 2 %. */
  work?(): Work | Promise<Work>;
  /** The answer of one operation: all sides that have this must answer alike. */
  sample?(): unknown;
}

/** Sides to be measured beside each other. */
export interface Comparison {
  /** The first one is Belfry, unless goals say otherwise. */
  readonly sides: readonly Side[];
  /** The settings that decide the durability, and so the cost, as read from the connections. */
  readonly knobs: string;
  /** A process of the database server, if it runs on this machine: its own and its siblings' CPU is counted. */
  readonly serverPid?: number | null;
  /** What could not be measured here, and why. @default nothing */
  readonly notes?: readonly string[];
  close(): Promise<void>;
}

/** Figures that have no other side, as samples by name. */
export interface Figures {
  readonly samples: Readonly<Record<string, readonly number[]>>;
  readonly knobs: string;
}

/** A goal for a ratio: one side's operations a second, or for a unit of CPU, over another's. */
export interface RatioGoal {
  readonly ratio: "rate" | "cpu";
  /** @default the first side */
  readonly of?: string;
  readonly against: string;
  readonly atLeast: number;
}

/** A goal for a figure. */
export interface FigureGoal {
  readonly figure: string;
  /** @default none: a plain number */
  readonly unit?: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** How large a row is set up. */
export interface Scale {
  /** 1 for figures that count. */
  readonly factor: number;
  /** Scales a number of rows, users or events, for trials. */
  of(count: number): number;
}

/** A comparison of a row. */
export interface RatioCase {
  /** Names it in its row: a database, a framework, a setting. */
  readonly name: string;
  readonly goals: readonly RatioGoal[];
  /** The least number of rounds; more where an operation is short. @default 15 */
  readonly rounds?: number;
  open(scale: Scale): Promise<Comparison>;
}

/** Figures of a row. */
export interface FigureCase {
  readonly name: string;
  readonly goals: readonly FigureGoal[];
  figures(scale: Scale): Promise<Figures>;
}

export type Case = RatioCase | FigureCase;

/** A row of the table of goals: one file of `rows/`, which exports it as `row`. */
export interface Row {
  readonly id: string;
  readonly what: string;
  readonly cases: readonly Case[];
  /** Parts of the row that cannot be measured yet, and why. @default none */
  readonly notYet?: readonly string[];
}

/** Thrown by a case that cannot run here, with what to do about it. */
export class Skipped extends Error {}

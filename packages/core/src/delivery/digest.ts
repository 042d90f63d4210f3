import type { ChoiceScope, DigestFrequency } from "../decisions/index.ts";

/**
 * Where a digest stands:
 *
 * ```
 * open ──it is due, and a worker has it, or another entry comes──> closing ──┬─ entries are left ─> rendered ──it was delivered, or not──> closed
 *                                                                            └─ none is left ─────────────────────────────────────────> closed
 * ```
 *
 * One that is full is closing from then on, and waits for its time. A closing one is open again if its time turns out to come later.
 * Only an open one gets entries. The list of a rendered one is stored: it stays as it is for every attempt.
 */
export type DigestState = "open" | "closing" | "rendered" | "closed";

/** The digest that a delivery waits for. Those of one user and channel with the same members come together. */
export interface DigestPlace {
  /** Whether a type's declaration makes it, or a frequency that was chosen. */
  readonly by: "type" | "choice";
  /** What the choice is about; `type` for a type's own. */
  readonly scope: ChoiceScope;
  /** The name of the group, topic, type or category; empty for `all`. */
  readonly name: string;
  /** What the type's `by` made of the data; empty without one. */
  readonly key: string;
  /** How often it comes, where that was chosen or the type says it; null for a window of some length. */
  readonly frequency: DigestFrequency | null;
}

/** How the window of a digest opens and closes. */
export interface DigestTiming {
  /** How long it is open, in milliseconds; null for a frequency, whose end depends on the user's local time. */
  readonly windowMs: number | null;
  /** The longest time that a sliding one is open, in milliseconds; null for any other. */
  readonly maxWindowMs: number | null;
  /** Whether the first entry goes out alone at once. */
  readonly leading: boolean;
}

/** What a delivery that waits for a digest is written with. */
export interface EntryPlan extends DigestPlace, DigestTiming {}

/**
 * How many entries a window takes before it is full, so that no transaction grows without end: on SQLite one of a full window takes some 15 ms. It is over by some then: as many as
 * one step puts into it. A full window gets no more entries and closes at its time; others of its place go into a new one.
 */
export const FULL_WINDOW = 300;

/** Several notifications in one delivery to a user, over one channel. */
export interface Digest {
  /** A UUIDv7. */
  readonly id: string;
  readonly tenant: string;
  readonly userId: string;
  readonly channel: string;
  /** That of the entry that opened it. */
  readonly plan: EntryPlan;
  readonly state: DigestState;
  /** When its window opened: the first entry was put into it. For a frequency, from when that entry was due: its notification's creation, or when it was scheduled. */
  readonly openedAt: Date;
  /** When its window closes, or closed. */
  readonly closesAt: Date;
  /** When its list was stored; null until then. */
  readonly renderedAt: Date | null;
  /** When it had settled; null until then. */
  readonly closedAt: Date | null;
  /** How many of its entries are shown, once it is rendered. */
  readonly shown: number;
  /** How many entries it has, once it is rendered, those that are only counted among them. */
  readonly total: number;
}

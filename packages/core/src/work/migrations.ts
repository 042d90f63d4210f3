import { systemClock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";
import type { Logger } from "../foundation/logger.ts";
import { Loop, type NextRun } from "./loop.ts";

/**
 * One step that brings a database to the current tables. Its number is its place in the list, counted from 1. An instance
 * of an older package may run beside one of a newer package. So a change that breaks old code is cut into three steps:
 * expand, move the rows, clean up.
 *
 * - `expand` adds what new code needs, so that old code still works. It runs when a storage opens, before anything else.
 * - `background` moves rows, some hundreds at a time, once the storage is open. Its statement changes only rows that need
 *   it, and runs again until it finds none: it may be cut off at any time, and rows that an older instance wrote
 *   meanwhile are found, too. Give it an index to find them by.
 * - `outside` runs statements that a transaction cannot hold, such as CREATE INDEX CONCURRENTLY, once the storage is open.
 *   All of them run again if one failed, so each must undo what it left: DROP INDEX CONCURRENTLY IF EXISTS comes first.
 * - `cleanup` takes away what only old code needs. It runs once the host says that no older instance is left, or once
 *   the database refuses those instances anyway. No later `expand` may need it.
 */
export type Migration =
  | {
      readonly phase: "expand";
      readonly sql: string;
      /** Packages that know fewer migrations than this cannot work beside it. @default those of the database stay as they are */
      readonly oldestCompatible?: number;
    }
  | { readonly phase: "background"; readonly sql: string }
  | { readonly phase: "outside"; readonly statements: readonly string[] }
  | {
      readonly phase: "cleanup";
      readonly sql: string;
      /** Packages that know fewer migrations than this cannot work after it. */
      readonly oldestCompatible: number;
    };

/** A migration of one phase with its number. */
export type Numbered<Phase extends Migration["phase"] = Migration["phase"]> = Extract<Migration, { phase: Phase }> & {
  readonly id: number;
};

/** A migration that a database has: a row of its table `belfry_migrations`. */
export interface AppliedMigration {
  readonly id: number;
  readonly checksum: string;
  readonly oldestCompatible: number;
}

/** The migrations that a database does not have yet, in order. */
export interface MigrationPlan {
  /**
   * The steps that run when a storage opens, in one transaction: the `expand` steps. Into an empty database it is everything
   * that a transaction can hold, because there are no rows to move and no older instance.
   */
  readonly atOpen: readonly Numbered<"expand" | "background" | "cleanup">[];
  /** The steps that run once the storage is open. */
  readonly later: readonly Numbered<"background" | "outside">[];
  readonly cleanup: readonly Numbered<"cleanup">[];
  /** The database refuses packages that know fewer migrations than this. */
  readonly oldestCompatible: number;
  /** How the database stands, but for whether it has tables. */
  readonly state: Omit<MigrationState, "hasTables">;
}

/** A migration that a database lacks. */
export interface PendingMigration {
  /** Its place in the package's list, counted from 1. */
  readonly id: number;
  /**
   * `expand` steps run before anything else when a storage opens; `background` and `outside` steps once it is open; a `cleanup` step once a host
   * says that no older instance is left.
   */
  readonly phase: Migration["phase"];
}

/** How the tables of a database stand. */
export interface MigrationState {
  /** How many migrations the storage's package knows. */
  readonly known: number;
  /** The last migration that the database has; 0 for none. It is above {@link known} where a newer package has been at work. */
  readonly newest: number;
  /** Whether there are tables at all. Where there are, and `newest` is 0, migrations of the host's own made them. */
  readonly hasTables: boolean;
  /** The migrations that the database lacks, in order. */
  readonly pending: readonly PendingMigration[];
}

/** The database and the package that {@link planMigrations} compares. */
export interface PlanSubject {
  /** Names the database in errors, for example `schema "public"`. */
  readonly database: string;
  /** The storage's package. */
  readonly packageName: string;
  readonly checksumOf: (migration: Migration) => string;
}

/**
 * Compares what a database has with what a package knows.
 *
 * @throws BelfryError `CONFIGURATION` if the database needs a newer package, or if a migration it has is not the one
 *   that the package contains
 */
export function planMigrations(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
  { database, packageName, checksumOf }: PlanSubject,
): MigrationPlan {
  const known = migrations.length;
  const newest = Math.max(0, ...applied.map(({ id }) => id));
  const oldestCompatible = Math.max(0, ...applied.map((migration) => migration.oldestCompatible));
  if (oldestCompatible > known) {
    throw new BelfryError(
      "CONFIGURATION",
      `The ${database} has migration ${newest} and needs a package that knows migration ${oldestCompatible}, but this ${packageName} ` +
        `knows ${known}: it was migrated by a newer version. Update the package.`,
    );
  }
  const checksums = new Map(applied.map(({ id, checksum }) => [id, checksum]));
  const missing = migrations.flatMap((migration, index): Numbered[] => {
    const numbered = { ...migration, id: index + 1 };
    const found = checksums.get(numbered.id);
    if (found !== undefined && found !== checksumOf(migration)) {
      throw new BelfryError(
        "CONFIGURATION",
        `Migration ${numbered.id} of the ${database} has checksum ${found}, but this ${packageName} has ${checksumOf(migration)}: ` +
          "it was migrated with other SQL. Use the package version that made it, or restore belfry_migrations.",
      );
    }
    return found === undefined ? [numbered] : [];
  });
  const pending = missing.map(({ id, phase }) => ({ id, phase }));
  const later = missing.filter((one) => one.phase === "background" || one.phase === "outside");
  const isFresh = applied.length === 0;
  return {
    atOpen: missing.filter((one) => one.phase !== "outside").filter(({ phase }) => isFresh || phase === "expand"),
    later: isFresh ? later.filter((one) => one.phase === "outside") : later,
    cleanup: isFresh ? [] : missing.filter((one) => one.phase === "cleanup"),
    oldestCompatible,
    state: { known, newest, pending },
  };
}

/**
 * Returns the next `cleanup` step that may run now. Everything before it is done, and either the host allows it or the
 * database refuses the packages that need the old tables.
 */
export function nextCleanup(plan: MigrationPlan, isAllowed: boolean): Numbered<"cleanup"> | undefined {
  const firstLater = Math.min(...plan.later.map(({ id }) => id));
  return plan.cleanup.find(({ id, oldestCompatible }) => id < firstLater && (isAllowed || oldestCompatible <= plan.oldestCompatible));
}

/** Returns the steps that move rows and come before migration `id`. */
export function backgroundBefore(migrations: readonly Migration[], id: number): readonly Numbered<"background">[] {
  return migrations
    .map((migration, index) => ({ ...migration, id: index + 1 }))
    .filter((migration) => migration.phase === "background")
    .filter((migration) => migration.id < id);
}

/** Returns how many migrations a package must know to work after this one; 0 if it changes nothing for packages. */
export function oldestCompatibleOf(migration: Migration): number {
  return "oldestCompatible" in migration ? (migration.oldestCompatible ?? 0) : 0;
}

/** Returns the text whose SHA-256, in hexadecimal, is the checksum of a migration. */
export function checkedText(migration: Migration): string {
  return migration.phase === "outside" ? migration.statements.join(";\n") : migration.sql;
}

/** The result of one step of the migrations that run once a storage is open. */
export type MigrationStep =
  /** There may be more to do. */
  | "more"
  /** Another instance is doing it now. */
  | "busy"
  | "done";

/** Options of {@link LaterMigrations}. */
export interface LaterMigrationsOptions {
  /** Does a small piece of the rest, in a transaction of its own. A long statement heeds the signal. */
  step(signal: AbortSignal): Promise<MigrationStep>;
  readonly logger: Logger;
  /** The wait after another instance was found to do it, or after a step failed. @default 5000 */
  readonly retryMs?: number;
}

const RETRY_MS = 5_000;
/** The pause between two steps, which leaves the database to others. */
const PAUSE_MS = 5;

/** Runs the migrations that do not hold up a start, in a {@link Loop}: step by step, until they are done or {@link stop} is called. */
export class LaterMigrations {
  readonly #options: LaterMigrationsOptions;
  readonly #stopped = new AbortController();
  readonly #loop: Loop;

  /** Begins at once. */
  constructor(options: LaterMigrationsOptions) {
    this.#options = options;
    const { logger, retryMs = RETRY_MS } = options;
    const run = () => this.#step(retryMs);
    this.#loop = new Loop({ task: "migrate in the background", run, retryMs, level: "warn", clock: systemClock, logger });
    this.#loop.wake();
  }

  /** Begins no further step, and resolves once the one under way has ended. */
  stop(): Promise<void> {
    this.#stopped.abort();
    return this.#loop.stop();
  }

  async #step(retryMs: number): Promise<NextRun> {
    const { signal } = this.#stopped;
    try {
      const went = await this.#options.step(signal);
      return went === "done" ? null : went === "more" ? PAUSE_MS : retryMs;
    } catch (error) {
      if (signal.aborted) {
        return null;
      }
      throw error;
    }
  }
}

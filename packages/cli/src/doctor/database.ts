import type { DatabaseFacts, MigrationState } from "@belfry/core";
import type { Opened } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { reportOf } from "../failure.ts";
import type { Io } from "../io.ts";
import { type Finding, fine } from "./finding.ts";

/** What was found of a database. */
export interface DatabaseFindings {
  readonly findings: readonly Finding[];
  /** Whether its tables are those of this version and its file is in WAL mode, so that the rest can be looked at without a change. */
  readonly isUsable: boolean;
}

const UNREACHABLE = "Check that it runs, and that the address, user, password and rights are right.";
const UNSET = "DATABASE_URL is not set here: if your service takes its address from there, set it. ";

/** Looks at the database: whether it can be reached, its clock, its settings and its tables. */
export async function lookAtDatabase({ service: { database }, isApplications }: Opened, env: Io["env"]): Promise<DatabaseFindings> {
  try {
    const askedMs = Date.now();
    const facts = await database.inspect();
    const clock = clockFinding(facts, { askedMs, answeredMs: Date.now() });
    const state = await database.migrations();
    const reached = fine("database", `${facts.product} ${facts.version} at ${database.place} answers.`);
    return {
      findings: [reached, clock, ...settingFindings(facts), tablesFinding(state)],
      isUsable: isUsable(state) && !isWithoutWal(facts.settings),
    };
  } catch (error) {
    const { exitCode, message } = reportOf(error);
    const level = exitCode === EXIT.unreachable ? "unreachable" : "error";
    const isUnset = isApplications && !database.place.startsWith("sqlite:") && (env.DATABASE_URL ?? "") === "";
    const remedy = level === "unreachable" ? `${isUnset ? UNSET : ""}${UNREACHABLE}` : null;
    return { findings: [{ level, about: "database", message, remedy }], isUsable: false };
  }
}

/** The clocks decide together what is due, so they may differ by less than anybody notices. */
const MOST_SKEW_MS = 2_000;

interface Asked {
  readonly askedMs: number;
  readonly answeredMs: number;
}

function clockFinding({ now, product }: DatabaseFacts, { askedMs, answeredMs }: Asked): Finding {
  if (product === "SQLite") {
    return fine("clock", "The database has the clock of this machine.");
  }
  // The answer was made at some moment in between.
  const ahead = now.getTime() - answeredMs;
  const behind = askedMs - now.getTime();
  const skewMs = Math.max(ahead, behind, 0);
  if (skewMs <= MOST_SKEW_MS) {
    return fine("clock", "The clocks of the database and of this machine agree.");
  }
  const message = `The clock of the database is ${Math.round(skewMs / 1_000)} s ${ahead > behind ? "ahead of" : "behind"} that of this machine.`;
  const remedy = "Set both by NTP: schedules, quiet hours and idempotency keys go by this machine's, deliveries by the database's.";
  return { level: "warning", about: "clock", message, remedy };
}

/** Settings that break a promise, with what to do. */
const SETTINGS: readonly (Omit<Finding, "about"> & { readonly isWrong: (settings: DatabaseFacts["settings"]) => boolean })[] = [
  {
    isWrong: isWithoutWal,
    level: "warning",
    message: "The database is not in WAL mode: readers wait for writers.",
    remedy:
      "Run PRAGMA journal_mode = WAL on it once, or let Belfry open it by its path. " +
      "The work, channels and keys were not looked at, as that could switch the mode.",
  },
  {
    isWrong: ({ synchronous }) => synchronous === "0",
    level: "error",
    message: "synchronous is OFF: power loss may destroy the database.",
    remedy: "Run PRAGMA synchronous = FULL on the connection that you pass in.",
  },
  {
    isWrong: ({ fsync }) => fsync === "off",
    level: "error",
    message: "fsync is off: a crash of the server's machine may destroy the database.",
    remedy: "Set fsync = on in postgresql.conf, and reload.",
  },
  {
    isWrong: ({ full_page_writes: writes }) => writes === "off",
    level: "warning",
    message: "full_page_writes is off: a crash may leave pages that are half written.",
    remedy: "Set full_page_writes = on, unless the file system writes pages whole.",
  },
  {
    isWrong: ({ synchronous_commit: commit }) => commit === "off",
    level: "warning",
    message: "synchronous_commit is off: a crash may undo the last acknowledged writes.",
    remedy: "Set synchronous_commit = on for this user, database or server.",
  },
  {
    isWrong: ({ in_recovery: recovery }) => recovery === "on",
    level: "error",
    message: "The server is a standby: nothing can be written.",
    remedy: "Give the address of the primary.",
  },
  {
    isWrong: ({ server_encoding: encoding }) => encoding !== undefined && encoding !== "UTF8",
    level: "error",
    message: "The database is not in UTF8: texts of users cannot be stored.",
    remedy: "Make the database with ENCODING 'UTF8'.",
  },
];

/** A service that opens the file by its path would switch it to WAL. */
function isWithoutWal({ journal_mode: mode }: DatabaseFacts["settings"]): boolean {
  return mode !== undefined && mode !== "wal";
}

function settingFindings({ settings }: DatabaseFacts): readonly Finding[] {
  const wrong = SETTINGS.filter(({ isWrong }) => isWrong(settings));
  const shown = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return wrong.length === 0
    ? [fine("settings", `${shown.join(", ")}.`)]
    : wrong.map(({ level, message, remedy }): Finding => ({ level, about: "settings", message, remedy }));
}

/** Whether a service can be used on the tables without changing them first. */
function isUsable({ hasTables, newest, pending }: MigrationState): boolean {
  return hasTables && (newest === 0 || pending.every(({ phase }) => phase === "cleanup"));
}

function tablesFinding({ hasTables, newest, known, pending }: MigrationState): Finding {
  const about = "migrations";
  const left = pending.filter(({ phase }) => phase !== "cleanup");
  if (!hasTables) {
    return { level: "error", about, message: "The database has no tables of Belfry.", remedy: "Run: belfry migrate" };
  }
  if (newest === 0) {
    const message = "The tables were made by migrations of your own, which cannot be compared with this version's.";
    return { level: "note", about, message, remedy: "Make sure that they have the schema of this version." };
  }
  if (left.some(({ phase }) => phase === "expand")) {
    const ids = left.map(({ id }) => id).join(", ");
    return { level: "error", about, message: `The tables lack migrations ${ids} of this version.`, remedy: "Run: belfry migrate" };
  }
  if (left.length > 0) {
    const message = `Migrations ${left.map(({ id }) => id).join(", ")} are not through: they run in the background of your application.`;
    return { level: "warning", about, message, remedy: "Start it, or run: belfry migrate" };
  }
  if (newest > known) {
    const message = `The tables have migration ${newest}, and this version knows ${known}: a newer version is at work, and this one still works.`;
    return { level: "warning", about, message, remedy: "Update the packages of this installation." };
  }
  if (pending.length > 0) {
    const message = `The tables are those of this version; ${pending.length} cleanups wait until no older version runs.`;
    return { level: "note", about, message, remedy: "Then run: belfry migrate --cleanup" };
  }
  return fine(about, `The tables are those of this version: migration ${newest}.`);
}

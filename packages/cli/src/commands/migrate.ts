import type { MigrationState, PendingMigration } from "@belfry/core";
import type { AddCommand, CommandContext, Opened } from "../context.ts";
import { withService } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { table } from "../output.ts";
import { whileBusy } from "../progress.ts";
import { requireYes } from "../prompt.ts";

interface MigrateOptions {
  readonly dryRun?: boolean;
  readonly cleanup?: boolean;
  readonly yes?: boolean;
}

const PHASES: Readonly<Record<PendingMigration["phase"], string>> = {
  expand: "adds what new code needs; older instances still work",
  background: "moves rows, some hundreds at a time",
  outside: "builds what a transaction cannot hold, such as an index",
  cleanup: "removes what only older versions need; with --cleanup, once none of them runs",
};

/** `belfry migrate`. */
export const migrate: AddCommand = (program, run) => {
  program
    .command("migrate")
    .description("brings the tables up to date")
    .option("--dry-run", "show which migrations are pending, and change nothing")
    .option("--cleanup", "also remove what only older versions need; none of them may run any more")
    .option("-y, --yes", "do not ask")
    .action((options: MigrateOptions) => run((context) => withService(context, (opened) => migrateWith(context, opened, options))));
};

async function migrateWith(context: CommandContext, { service: { database } }: Opened, options: MigrateOptions): Promise<ExitCode> {
  const { output } = context;
  const { place } = database;
  const before = await database.migrations();
  if (options.dryRun === true) {
    await output.result({ place, ...before }, [...headline(place, before), ...linesOf(before.pending)]);
    return isPending(before) ? EXIT.attention : EXIT.ok;
  }
  const cleanup = options.cleanup === true;
  if (cleanup) {
    const message = `Does no older version of your application run on ${place} any more? It would fail after the cleanup.`;
    await requireYes(context, { message, isAnswered: options.yes === true, what: "migrate --cleanup" });
  }
  await whileBusy(context, `Migrating ${place}`, () => database.migrate({ cleanup }));
  const after = await database.migrations();
  const applied = before.pending.filter(({ id }) => !after.pending.some((one) => one.id === id));
  const done = applied.length === 0 ? "Nothing was left to do." : `Applied ${applied.length} migrations:`;
  await output.result({ place, applied, ...after }, [`${place}: ${done}`, ...linesOf(applied), ...linesOf(after.pending, "left")]);
  return isPending(after) ? EXIT.attention : EXIT.ok;
}

/** Whether something is left that the host need not decide on. */
function isPending({ pending }: MigrationState): boolean {
  return pending.some(({ phase }) => phase !== "cleanup");
}

function headline(place: string, { hasTables, newest, known, pending }: MigrationState): readonly string[] {
  const has = hasTables ? (newest === 0 ? "tables that migrations of your own made" : `migration ${newest}`) : "no tables yet";
  return [`${place}: has ${has}; this version knows ${known} migrations, and ${pending.length} are pending.`];
}

/** A line for each run of migrations of one phase: an empty database lacks very many. */
function linesOf(migrations: readonly PendingMigration[], title = ""): readonly string[] {
  const runs: { readonly first: number; last: number; readonly phase: PendingMigration["phase"] }[] = [];
  for (const { id, phase } of migrations) {
    const run = runs.at(-1);
    if (run !== undefined && run.phase === phase && run.last === id - 1) {
      run.last = id;
    } else {
      runs.push({ first: id, last: id, phase });
    }
  }
  const range = ({ first, last }: { readonly first: number; readonly last: number }) =>
    first === last ? `${first}` : `${first} to ${last}`;
  return table(runs.map((run) => [`  ${range(run)}`, run.phase, ...(title === "" ? [] : [title]), PHASES[run.phase]]));
}

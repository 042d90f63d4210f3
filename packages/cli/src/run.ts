import { Command, CommanderError, type OutputConfiguration } from "commander";
import { doctor } from "./commands/doctor.ts";
import { init } from "./commands/init.ts";
import { keys } from "./commands/keys.ts";
import { migrate } from "./commands/migrate.ts";
import { partition } from "./commands/partition.ts";
import { deleteUser, exportUser } from "./commands/privacy.ts";
import { retention } from "./commands/retention.ts";
import { retry } from "./commands/retry.ts";
import { send } from "./commands/send.ts";
import { tail } from "./commands/tail.ts";
import type { AddCommand, CommonOptions, Run } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { reportOf, wrongUsage } from "./failure.ts";
import type { Io } from "./io.ts";
import { Output } from "./output.ts";
import { packageVersion } from "./package-version.ts";

const COMMANDS: readonly AddCommand[] = [init, migrate, doctor, keys, send, tail, retry, exportUser, deleteUser, retention, partition];

/** Those that write down who did it. */
const WITH_ACTOR: ReadonlySet<string> = new Set(["send", "retry", "export-user", "delete-user"]);

const EPILOGUE = `
Exit codes: 0 done; 1 failed, or something is broken; 2 wrong usage, nothing was changed; 3 the database is out of reach;
4 it works, but something needs attention; 130 interrupted.`;

/**
 * Runs a command line of `belfry`, and says how it ended. It prints; it throws nothing.
 *
 * @param args what follows `belfry`
 * @example
 * ```ts
 * const code = await run(["doctor", "--json"], { ...process, cwd: process.cwd(), signal: AbortSignal.timeout(60_000) });
 * ```
 */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const output = new Output(io, args.includes("--json"));
  let exitCode: ExitCode = EXIT.ok;
  const writing: OutputConfiguration = {
    writeOut: (text) => void io.stdout.write(text),
    writeErr: (text) => void (output.isJson || io.stderr.write(text)),
    // Said below, as every other failure is.
    outputError() {},
  };
  const program = programOf(writing, async (work) => {
    exitCode = await work({ io, output, options: program.opts<CommonOptions>() });
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      return EXIT.ok;
    }
    const report = reportOf(error);
    await output.failure(report);
    return report.exitCode;
  }
}

function programOf(writing: OutputConfiguration, run: Run): Command {
  const program = new Command("belfry")
    .description("Sets Belfry up, and runs it: migrations, what is wrong, API keys, sending, following, retrying, users' data.")
    .version(packageVersion(), "-V, --version")
    .option("--config <file>", "the configuration that exports your service (default: belfry.config.ts, .js, … of this directory)")
    .option("--database <url>", "a database in its place: sqlite:<path> or postgres://… (default: DATABASE_URL, without a configuration)")
    .option("--schema <name>", "the PostgreSQL schema of a database that is named so")
    .option("--tenant <id>", "the tenant (default: that of the service)")
    .option("--actor <name>", "who does it, for the audit log (default: cli); of send, the notification's actor, which recipients see")
    .option("--json", "print one JSON document, or lines of JSON, and nothing else")
    .addHelpText("after", EPILOGUE)
    .exitOverride()
    .configureOutput(writing)
    .showSuggestionAfterError()
    .hook("preAction", (_, action) => requireActorWanted(program, action));
  for (const add of COMMANDS) {
    add(program, run);
  }
  return program;
}

/** Refuses an actor that nobody would be told of. */
function requireActorWanted(program: Command, action: Command): void {
  if (program.opts<CommonOptions>().actor !== undefined && !WITH_ACTOR.has(action.name())) {
    throw wrongUsage(`${action.name()} writes down nobody who did it. Leave out --actor: it is for ${[...WITH_ACTOR].join(", ")}.`);
  }
}

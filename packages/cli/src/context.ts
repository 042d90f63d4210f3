import type { Command } from "commander";
import type { CommandTenant } from "./command-service.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { type FoundService, openService, type ServiceOptions } from "./open-service.ts";
import type { Output } from "./output.ts";

/** The options of every command. */
export interface CommonOptions extends ServiceOptions {
  readonly tenant?: string;
  readonly actor?: string;
  readonly json?: boolean;
}

/** Who does it, for the audit log. */
export function actorOf({ actor = "cli" }: CommonOptions): string {
  return actor;
}

/** A service, and the tenant of it that a command is about. */
export interface Opened extends FoundService {
  readonly tenant: CommandTenant;
}

/** What a command works with. */
export interface CommandContext {
  readonly io: Io;
  readonly output: Output;
  readonly options: CommonOptions;
}

/** Runs the work of a command, and keeps how it ends. */
export type Run = (work: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

/** Adds a command to the program. */
export type AddCommand = (program: Command, run: Run) => void;

/** Finds the service, does `work` with it, and stops it. */
export async function withService({ io, options }: CommandContext, work: (opened: Opened) => Promise<ExitCode>): Promise<ExitCode> {
  const found = await openService(io, options);
  try {
    const { service } = found;
    const tenant = options.tenant === undefined ? service.defaultTenant : service.tenant(options.tenant);
    return await work({ ...found, tenant });
  } finally {
    await found.service.stop();
  }
}

/** The same, on tables that are up to date: a command does not migrate by the way, and does not read what is not there. */
export async function withTables(context: CommandContext, work: (opened: Opened) => Promise<ExitCode>): Promise<ExitCode> {
  return withService(context, async (opened) => {
    await requireTables(opened);
    return work(opened);
  });
}

async function requireTables({ service: { database } }: Opened): Promise<void> {
  const { hasTables, newest, pending } = await database.migrations();
  if (!hasTables) {
    throw new Failure(
      EXIT.unreachable,
      `${database.place} has no tables of Belfry. Check that this is the right database, or run: belfry migrate`,
    );
  }
  const [missing] = pending.filter(({ phase }) => phase === "expand");
  if (newest > 0 && missing !== undefined) {
    throw new Failure(EXIT.failed, `${database.place} lacks migration ${missing.id} of this version. Run: belfry migrate`);
  }
}

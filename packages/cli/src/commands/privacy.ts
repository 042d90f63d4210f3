import { type FileHandle, open, unlink } from "node:fs/promises";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { type AddCommand, actorOf, type CommandContext, type Opened, withTables } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { Failure, wrongUsage } from "../failure.ts";
import { whileBusy } from "../progress.ts";
import { requireYes } from "../prompt.ts";

interface UserOptions {
  readonly address?: readonly string[];
}

interface ExportOptions extends UserOptions {
  readonly out?: string;
}

interface DeleteOptions extends UserOptions {
  readonly yes?: boolean;
}

const ADDRESS = ["--address <addresses...>", "addresses by which sends named them, such as ann@example.com"] as const;

/** `belfry export-user`. */
export const exportUser: AddCommand = (program, run) => {
  program
    .command("export-user")
    .description("writes all data of a user, a line of JSON each")
    .argument("<user>", "the user's id")
    .option(...ADDRESS)
    .option("--out <file>", "a new file to write to (default: stdout)")
    .action((userId: string, options: ExportOptions) =>
      run((context) => withTables(context, (opened) => exportTo(context, opened, { userId, ...options }))),
    );
};

/** `belfry delete-user`. */
export const deleteUser: AddCommand = (program, run) => {
  program
    .command("delete-user")
    .description("removes all data of a user, for good; it may be repeated after it was interrupted")
    .argument("<user>", "the user's id")
    .option(...ADDRESS)
    .option("-y, --yes", "do not ask")
    .action((userId: string, options: DeleteOptions) =>
      run((context) => withTables(context, (opened) => erase(context, opened, { userId, ...options }))),
    );
};

type OfUser<Options> = Options & { readonly userId: string };

async function exportTo(
  context: CommandContext,
  { tenant }: Opened,
  { userId, address = [], out }: OfUser<ExportOptions>,
): Promise<ExitCode> {
  const { output, io, options } = context;
  const lines = tenant.exportUser(userId, { addresses: address, actor: actorOf(options) });
  if (out === undefined) {
    for await (const line of lines) {
      requireGoingOn(io.signal);
      await output.raw(line);
    }
    return EXIT.ok;
  }
  const path = resolve(io.cwd, out);
  const records = await writeNew(path, counted(lines, output.progress.bind(output)), io.signal);
  await output.result({ user: userId, file: path, records }, [`Wrote ${records} records to ${path}.`]);
  return EXIT.ok;
}

interface Counted {
  readonly lines: AsyncIterable<string>;
  count(): number;
}

function counted(lines: AsyncIterable<string>, show: (text: string) => void): Counted {
  let count = 0;
  async function* counting() {
    for await (const line of lines) {
      count += 1;
      if (count % 100 === 0) {
        show(`${count} records`);
      }
      yield line;
    }
  }
  return { lines: counting(), count: () => count };
}

/** Writes a file that is not there yet; it is not left half written. */
async function writeNew(path: string, { lines, count }: Counted, signal: AbortSignal): Promise<number> {
  const file = await openNew(path);
  try {
    await pipeline(lines, file.createWriteStream(), { signal });
    return count();
  } catch (error) {
    await unlink(path).catch(() => undefined);
    requireGoingOn(signal);
    throw error;
  }
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") {
      throw wrongUsage(`The file ${JSON.stringify(path)} is there already. Give --out a new one.`);
    }
    throw error;
  }
}

function requireGoingOn(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new Failure(EXIT.interrupted, "The export was interrupted, and is not whole.");
  }
}

async function erase(context: CommandContext, { tenant }: Opened, { userId, address = [], yes }: OfUser<DeleteOptions>): Promise<ExitCode> {
  const message = `Remove all data of ${JSON.stringify(userId)} in the tenant ${tenant.tenantId}? It cannot be brought back.`;
  await requireYes(context, { message, isAnswered: yes === true, what: "delete-user" });
  const { output, options } = context;
  const names = { addresses: address, actor: actorOf(options) };
  const { removed } = await whileBusy(context, "Removing", () => tenant.deleteUser(userId, names));
  await output.result({ user: userId, removed }, [`Removed ${removed} rows of ${userId}.`]);
  return EXIT.ok;
}

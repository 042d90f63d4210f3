import type { ActivitySummary, InboxItem } from "@belfry/core";
import { type AddCommand, type CommandContext, type Opened, withTables } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { wrongUsage } from "../failure.ts";
import { parseWhole } from "../parse-options.ts";
import { waitUnlessInterrupted } from "../wait.ts";

interface TailOptions {
  readonly user?: string;
  readonly channel?: string;
  readonly last: string;
  readonly every: string;
}

/** How many are looked at. What changes beyond them is not seen. */
const WINDOW = 100;

/** `belfry tail`. */
export const tail: AddCommand = (program, run) => {
  program
    .command("tail")
    .description("follows what happens until Ctrl-C: notifications and their deliveries, or with --user an inbox; the newest 100 of them")
    .option("--user <id>", "follow the inbox of this user; it needs a configuration")
    .option("--channel <name>", "follow what goes over this channel")
    .option("--last <number>", "begin with so many that are there already", "0")
    .option("--every <ms>", "how often to look, in milliseconds", "1000")
    .action((options: TailOptions) => run((context) => follow(context, options)));
};

/** A position among those of its kind: a number of an inbox, or an id that begins with its time. */
type Order = number | string;

/** Something to follow, as it is at a moment. */
interface Seen {
  readonly id: string;
  /** Rises with the time at which it came. */
  readonly order: Order;
  /** Changes whenever it does. */
  readonly version: string;
  readonly document: object;
  readonly line: string;
}

async function follow(context: CommandContext, options: TailOptions): Promise<ExitCode> {
  const last = parseWhole(options.last, { option: "--last", min: 0, max: WINDOW });
  const everyMs = parseWhole(options.every, { option: "--every", min: 100, max: 60_000 });
  if (options.user !== undefined && options.channel !== undefined) {
    throw wrongUsage("--user follows an inbox, and --channel what goes over a channel. Give one of them.");
  }
  return withTables(context, async (opened) => {
    const read = readerOf(opened, options);
    let before = await read();
    await show(context, before.slice(0, last).reverse());
    context.output.remark("Following. Ctrl-C ends it.");
    while (await waitUnlessInterrupted(everyMs, context.io.signal)) {
      const now = await read();
      await show(context, changedSince(before, now).reverse());
      before = now;
    }
    return EXIT.ok;
  });
}

/** What came or changed between two looks. What is older than all that was in sight has only come into it, because something newer is gone. */
function changedSince(before: readonly Seen[], now: readonly Seen[]): Seen[] {
  const known = new Map(before.map(({ id, version }) => [id, version]));
  const hadRoom = before.length < WINDOW;
  return now.filter(({ id, version, order }) => {
    const knownVersion = known.get(id);
    return knownVersion === undefined ? hadRoom || before.some((other) => other.order < order) : knownVersion !== version;
  });
}

async function show({ output }: CommandContext, seen: readonly Seen[]): Promise<void> {
  for (const { document, line } of seen) {
    await output.result(document, [line]);
  }
}

/** Reads what is to be followed, newest first. It marks nobody as connected, as a subscription would. */
function readerOf({ tenant, isApplications }: Opened, { user, channel }: TailOptions): () => Promise<readonly Seen[]> {
  if (user === undefined) {
    const filter = channel === undefined ? {} : { channel };
    return async () => (await tenant.operator.search({ ...filter, limit: WINDOW })).notifications.map(ofNotification);
  }
  if (!isApplications) {
    // Whoever reads an inbox places the broadcasts that it lacks, by types and a directory that are not known here.
    throw wrongUsage(
      "--user reads an inbox as your application does. Export your service from belfry.config.ts, and leave out --database.",
    );
  }
  const inbox = tenant.inbox(user);
  return async () => (await inbox.list({ limit: WINDOW })).items.map(ofItem);
}

function ofNotification(summary: ActivitySummary): Seen {
  const { id, kind, type, title, recipients, recipientCount, status, standing, lastError, createdAt } = summary;
  const state = [status, standing?.state, lastError].filter((part) => part !== null && part !== undefined).join(", ");
  const to = recipientCount > recipients.length ? `${recipients.join(", ")}, … (${recipientCount})` : recipients.join(", ");
  const line = `${createdAt.toISOString()} ${kind} ${id} ${type} ${JSON.stringify(title)} to ${to}${state === "" ? "" : `: ${state}`}`;
  return { id, order: id, version: JSON.stringify([status, standing, lastError, recipientCount]), document: summary, line };
}

function ofItem(item: InboxItem): Seen {
  const { id, seq, type, title, createdAt, readAt, isSeen } = item;
  const state = readAt === null ? (isSeen ? "seen" : "new") : "read";
  const line = `${createdAt.toISOString()} ${id} ${type} ${JSON.stringify(title)}: ${state}`;
  return { id, order: seq, version: JSON.stringify(item), document: item, line };
}

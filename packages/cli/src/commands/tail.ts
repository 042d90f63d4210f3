import type { ActivitySummary, InboxItem } from "@belfry/core";
import { type AddCommand, type CommandContext, type Opened, withTables } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
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
    .option("--user <id>", "follow the inbox of this user")
    .option("--channel <name>", "follow what goes over this channel")
    .option("--last <number>", "begin with so many that are there already", "0")
    .option("--every <ms>", "how often to look, in milliseconds", "1000")
    .action((options: TailOptions) => run((context) => follow(context, options)));
};

/** Something to follow, as it is at a moment. */
interface Seen {
  readonly id: string;
  /** Changes whenever it does. */
  readonly version: string;
  readonly document: object;
  readonly line: string;
}

async function follow(context: CommandContext, options: TailOptions): Promise<ExitCode> {
  const last = parseWhole(options.last, { option: "--last", min: 0, max: WINDOW });
  const everyMs = parseWhole(options.every, { option: "--every", min: 100, max: 60_000 });
  return withTables(context, async (opened) => {
    const read = readerOf(opened, options);
    const known = new Map<string, string>();
    const begun = await read();
    note(known, begun);
    await show(context, begun.slice(0, last).reverse());
    context.output.remark("Following. Ctrl-C ends it.");
    while (await waitUnlessInterrupted(everyMs, context.io.signal)) {
      const now = await read();
      const changed = now.filter(({ id, version }) => known.get(id) !== version);
      note(known, now);
      await show(context, changed.reverse());
    }
    return EXIT.ok;
  });
}

/** Keeps what is in sight, and nothing else. */
function note(known: Map<string, string>, seen: readonly Seen[]): void {
  known.clear();
  for (const { id, version } of seen) {
    known.set(id, version);
  }
}

async function show({ output }: CommandContext, seen: readonly Seen[]): Promise<void> {
  for (const { document, line } of seen) {
    await output.result(document, [line]);
  }
}

/** Reads what is to be followed, newest first. It marks nobody as connected, as a subscription would. */
function readerOf({ tenant }: Opened, { user, channel }: TailOptions): () => Promise<readonly Seen[]> {
  if (user === undefined) {
    const filter = channel === undefined ? {} : { channel };
    return async () => (await tenant.operator.search({ ...filter, limit: WINDOW })).notifications.map(ofNotification);
  }
  const inbox = tenant.inbox(user);
  return async () => (await inbox.list({ limit: WINDOW })).items.map(ofItem);
}

function ofNotification(summary: ActivitySummary): Seen {
  const { id, kind, type, title, recipients, recipientCount, status, standing, lastError, createdAt } = summary;
  const state = [status, standing?.state, lastError].filter((part) => part !== null && part !== undefined).join(", ");
  const to = recipientCount > recipients.length ? `${recipients.join(", ")}, … (${recipientCount})` : recipients.join(", ");
  const line = `${createdAt.toISOString()} ${kind} ${id} ${type} ${JSON.stringify(title)} to ${to}${state === "" ? "" : `: ${state}`}`;
  return { id, version: JSON.stringify([status, standing, lastError, recipientCount]), document: summary, line };
}

function ofItem(item: InboxItem): Seen {
  const { id, type, title, createdAt, readAt, isSeen } = item;
  const state = readAt === null ? (isSeen ? "seen" : "new") : "read";
  const line = `${createdAt.toISOString()} ${id} ${type} ${JSON.stringify(title)}: ${state}`;
  return { id, version: JSON.stringify(item), document: item, line };
}

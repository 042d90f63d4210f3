import type { RetentionOptions } from "@belfry/core";
import { type AddCommand, type CommandContext, type Opened, withService, withTables } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { table } from "../output.ts";
import { whileBusy } from "../progress.ts";
import { requireYes } from "../prompt.ts";

interface RunOptions {
  readonly yes?: boolean;
}

/** `belfry retention`. */
export const retention: AddCommand = (program, run) => {
  const group = program.command("retention").description("how long data is kept");
  group
    .command("show")
    .description("shows what your service keeps for how long")
    .action(() => run((context) => withService(context, (opened) => show(context, opened))));
  group
    .command("run")
    .description("removes now what is older, in all tenants; a running service does so every hour")
    .option("-y, --yes", "do not ask")
    .action((options: RunOptions) => run((context) => withTables(context, (opened) => sweep(context, opened, options))));
};

async function show({ output }: CommandContext, { service, isApplications }: Opened): Promise<ExitCode> {
  if (!isApplications) {
    output.remark("This looks at a database alone. Export your service from belfry.config.ts to see what it keeps.");
  }
  await output.result({ retention: service.retention }, table(rowsOf(service.retention)));
  return EXIT.ok;
}

async function sweep(context: CommandContext, { service, isApplications }: Opened, { yes }: RunOptions): Promise<ExitCode> {
  const kept = isApplications
    ? "what your service's retention says"
    : "changes of 30 days and broadcasts that expired, as no retention is known here";
  const message = `Remove what is older than it is kept, in all tenants, by ${kept}?`;
  await requireYes(context, { message, isAnswered: yes === true, what: "retention run" });
  const removed = await whileBusy(context, "Removing", () => service.sweep());
  await context.output.result({ removed }, table(Object.entries(removed).map(([what, rows]) => [what, `${rows} rows removed`])));
  return EXIT.ok;
}

const NAMES = [
  ["readMs", "items that are read or deleted"],
  ["unreadMs", "items that are unread"],
  ["deliveriesMs", "sends with their deliveries"],
  ["eventsMs", "events of the hub"],
  ["auditMs", "lines of the audit log"],
  ["broadcastsMs", "broadcasts"],
  ["changesMs", "changes of inboxes"],
] as const;

/** The service's own default of `changesMs`. */
const CHANGES_MS = 30 * 86_400_000;

function rowsOf(kept: RetentionOptions): readonly (readonly string[])[] {
  const all = { changesMs: CHANGES_MS, ...kept };
  const types = Object.entries(kept.types ?? {}).flatMap(([type, own]) => [
    [`${type}, read`, inWords(own.readMs ?? kept.readMs)],
    [`${type}, unread`, inWords(own.unreadMs ?? kept.unreadMs)],
  ]);
  return [...NAMES.map(([name, what]) => [what, inWords(all[name])]), ...types];
}

function inWords(ms: number | undefined): string {
  return ms === undefined ? "for ever" : `${Math.round((ms / 86_400_000) * 100) / 100} days`;
}

import type { ActivityFilter, RetryRun } from "@belfry/core";
import { given } from "@belfry/core/http";
import { type AddCommand, actorOf, type CommandContext, type Opened, withTables } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { wrongUsage } from "../failure.ts";
import { table } from "../output.ts";
import { parseTime } from "../parse-options.ts";
import { requireYes } from "../prompt.ts";
import { waitUnlessInterrupted } from "../wait.ts";

interface RetryOptions {
  readonly channel?: string;
  readonly type?: string;
  readonly recipient?: string;
  readonly error?: string;
  readonly from?: string;
  readonly before?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly list?: boolean;
  readonly resume?: string;
  readonly cancel?: string;
}

/** Where counts of matches end. */
const MOST_COUNTED = 10_000;
/** How often it asks how far a run is. */
const LOOK_MS = 250;

/** `belfry retry`. */
export const retry: AddCommand = (program, run) => {
  program
    .command("retry")
    .description("tries again what failed, or waits for another attempt, of every send that matches; Ctrl-C pauses it")
    .option("--channel <name>", "over this channel")
    .option("--type <name>", "of this type")
    .option("--recipient <name>", "to this user or address, as its sender named it")
    .option("--error <text>", "with this in its last error")
    .option("--from <time>", "created then or later: 30m, 2h or 7d ago, or a time in ISO 8601")
    .option("--before <time>", "created before then")
    .option("--dry-run", "count what would be tried again, and change nothing")
    .option("--list", "list the runs, newest first")
    .option("--resume <id>", "go on with a run that was paused, and follow it")
    .option("--cancel <id>", "end a run where it is")
    .option("-y, --yes", "do not ask")
    .action((options: RetryOptions) => run((context) => retryWith(context, options)));
};

async function retryWith(context: CommandContext, options: RetryOptions): Promise<ExitCode> {
  const asked = (["dryRun", "list", "resume", "cancel"] as const).filter((name) => options[name] !== undefined);
  if (asked.length > 1) {
    throw wrongUsage("--dry-run, --list, --resume and --cancel do different things. Give one of them.");
  }
  const filter = filterOf(options);
  if (asked.some((name) => name !== "dryRun") && Object.keys(filter).length > 0) {
    throw wrongUsage("--list, --resume and --cancel take no filter: a run keeps the one that it was started with.");
  }
  return withTables(context, (opened) => {
    const { list, dryRun, resume, cancel } = options;
    if (list === true) {
      return listRuns(context, opened);
    }
    if (cancel !== undefined) {
      return cancelRun(context, opened, cancel);
    }
    if (resume !== undefined) {
      return resumeRun(context, opened, resume);
    }
    return dryRun === true ? countOnly(context, opened, filter) : start(context, opened, { filter, yes: options.yes === true });
  });
}

function filterOf({ channel, type, recipient, error, from, before }: RetryOptions): ActivityFilter {
  return {
    ...given({ channel, type, recipient, error }),
    ...(from !== undefined && { from: parseTime(from, "--from") }),
    ...(before !== undefined && { before: parseTime(before, "--before") }),
  };
}

async function countOnly({ output }: CommandContext, { tenant }: Opened, filter: ActivityFilter): Promise<ExitCode> {
  const matched = await tenant.operator.countRetryable(filter);
  await output.result({ matched }, [`${shownCount(matched)} sends would be tried again.`]);
  return EXIT.ok;
}

interface Start {
  readonly filter: ActivityFilter;
  readonly yes: boolean;
}

async function start(context: CommandContext, opened: Opened, { filter, yes }: Start): Promise<ExitCode> {
  const { operator } = opened.tenant;
  const matched = await operator.countRetryable(filter);
  const message = `Try ${shownCount(matched)} sends of the tenant ${opened.tenant.tenantId} again?`;
  await requireYes(context, { message, isAnswered: yes || matched === 0, what: "retry" });
  const run = await operator.retries.start(filter, { actor: actorOf(context.options) });
  return follow(context, opened, run);
}

async function resumeRun(context: CommandContext, opened: Opened, id: string): Promise<ExitCode> {
  const { retries } = opened.tenant.operator;
  const found = await retries.get(id);
  const run = found.state === "running" ? found : await retries.resume(id, { actor: actorOf(context.options) });
  return follow(context, opened, run);
}

/** Shows how far a run is, until it ends. Ctrl-C pauses it. */
async function follow(context: CommandContext, { tenant }: Opened, begun: RetryRun): Promise<ExitCode> {
  const { io, output, options } = context;
  const { retries } = tenant.operator;
  let run = begun;
  let isInterrupted = false;
  while (run.state === "running") {
    output.progress(
      `Retry run ${run.id}: looked at ${run.looked} of ${shownCount(run.matched)}, retried ${run.retried}. Ctrl-C pauses it.`,
    );
    if (!(await waitUnlessInterrupted(LOOK_MS, io.signal))) {
      isInterrupted = true;
      run = await pauseOf(retries, run.id, actorOf(options));
      break;
    }
    run = await retries.get(run.id);
  }
  const isElsewhere = run.state === "cancelled" || (run.state === "paused" && !isInterrupted);
  const state = isElsewhere ? `was ${run.state} elsewhere, as on the dashboard` : `is ${run.state}`;
  const paused = run.state === "paused" ? [`Go on with: belfry retry --resume ${run.id}`] : [];
  const done = `${run.retried} of ${shownCount(run.matched)} sends are tried again`;
  await output.result(run, [`The retry run ${run.id} ${state}: ${done}.`, ...paused]);
  return run.state === "finished" ? EXIT.ok : isElsewhere ? EXIT.attention : EXIT.interrupted;
}

function shownCount(count: number): string {
  return count < MOST_COUNTED ? `${count}` : "10,000 or more";
}

/** Pauses a run, unless it ended at that moment. */
async function pauseOf(retries: Opened["tenant"]["operator"]["retries"], id: string, actor: string): Promise<RetryRun> {
  const run = await retries.get(id);
  return run.state === "running" ? await retries.pause(id, { actor }) : run;
}

async function cancelRun({ output, options }: CommandContext, { tenant }: Opened, id: string): Promise<ExitCode> {
  const run = await tenant.operator.retries.cancel(id, { actor: actorOf(options) });
  await output.result(run, [`Cancelled the retry run ${run.id}: ${run.retried} sends are tried again all the same.`]);
  return EXIT.ok;
}

async function listRuns({ output }: CommandContext, { tenant }: Opened): Promise<ExitCode> {
  const runs = await tenant.operator.retries.list();
  const rows = runs.map(({ id, state, matched, looked, retried, createdAt }) => [
    id,
    state,
    `${retried} retried, ${looked} looked at, ${shownCount(matched)} matched`,
    createdAt.toISOString(),
  ]);
  await output.result({ runs }, table([["id", "state", "progress", "started"], ...rows]));
  return EXIT.ok;
}

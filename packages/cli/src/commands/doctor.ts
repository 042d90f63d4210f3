import { type AddCommand, type CommandContext, withService } from "../context.ts";
import { lookAtChannels } from "../doctor/channels.ts";
import { lookAtDatabase } from "../doctor/database.ts";
import { type Check, type Finding, LEVELS, type Level } from "../doctor/finding.ts";
import { lookAtHandler } from "../doctor/handler.ts";
import { lookAtKeys } from "../doctor/keys.ts";
import { lookAtRuntime } from "../doctor/runtime.ts";
import { lookAtWork } from "../doctor/work.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { table } from "../output.ts";

const EXIT_OF: Readonly<Record<Level, ExitCode>> = {
  ok: EXIT.ok,
  note: EXIT.ok,
  warning: EXIT.attention,
  error: EXIT.failed,
  unreachable: EXIT.unreachable,
};

/** What can be looked at without tables, and what needs those of this version. */
const FIRST: readonly Check[] = [lookAtRuntime, lookAtHandler];
const ON_TABLES: readonly Check[] = [lookAtWork, lookAtChannels, lookAtKeys];

/** `belfry doctor`. */
export const doctor: AddCommand = (program, run) => {
  program
    .command("doctor")
    .description("looks for what is wrong, and says how to mend it; it changes nothing")
    .action(() => run(examine));
};

async function examine(context: CommandContext): Promise<ExitCode> {
  return withService(context, async (opened) => {
    const { findings: ofDatabase, isUsable } = await lookAtDatabase(opened, context.io.env);
    const findings = [...ofDatabase, ...(await allOf(FIRST, opened)), ...(isUsable ? await allOf(ON_TABLES, opened) : [])];
    const worst = LEVELS.findLast((level) => findings.some((finding) => finding.level === level)) ?? "ok";
    await context.output.result({ place: opened.service.database.place, worst, findings }, linesOf(findings));
    return EXIT_OF[worst];
  });
}

async function allOf(checks: readonly Check[], opened: Parameters<Check>[0]): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const check of checks) {
    found.push(...(await check(opened)));
  }
  return found;
}

function linesOf(findings: readonly Finding[]): readonly string[] {
  return table(findings.map(({ level, about, message, remedy }) => [level, about, remedy === null ? message : `${message} ${remedy}`]));
}

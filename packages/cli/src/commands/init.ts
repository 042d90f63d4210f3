import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { given } from "@belfry/core/http";
import { Option } from "commander";
import type { AddCommand, CommandContext } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { filesFor } from "../init/files.ts";
import { nextSteps } from "../init/next-steps.ts";
import { DATABASES, type DatabaseKind, detectProject, FRAMEWORKS, type Framework, type NewFile, type Project } from "../init/project.ts";
import { CONFIG_NAMES, findConfig } from "../load-config.ts";
import { requireYes } from "../prompt.ts";

interface InitOptions {
  readonly framework?: Framework;
  readonly storage?: DatabaseKind;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** How a file stands: it is to be written, it is there already, or another one of that name is. */
type FileState = "new" | "same" | "yours";

interface PlannedFile extends NewFile {
  readonly state: FileState;
}

/** `belfry init`. */
export const init: AddCommand = (program, run) => {
  program
    .command("init")
    .description("sets Belfry up in the application of this directory; it overwrites nothing")
    .addOption(new Option("--framework <name>", "its framework (default: the one that package.json has)").choices(FRAMEWORKS))
    .addOption(new Option("--storage <kind>", "its database (default: postgres if package.json has pg, else sqlite)").choices(DATABASES))
    .option("--dry-run", "show what would be written, and write nothing")
    .option("-y, --yes", "do not ask")
    .action((options: InitOptions) => run((context) => setUp(context, options)));
};

async function setUp(context: CommandContext, { framework, storage, dryRun, yes }: InitOptions): Promise<ExitCode> {
  const { io, output } = context;
  const said = given({ framework, database: storage });
  const { packages, ...project } = detectProject(io.cwd, said);
  const files = filesFor({ ...project, packages }).map((file) => planned(io.cwd, file));
  const fresh = files.filter(({ state }) => state === "new");
  const steps = nextSteps({ ...project, packages });
  const document = { project, files: files.map(({ path, state }) => ({ path, state })), ...steps };
  if (dryRun === true) {
    await output.result(document, [...summaryOf(project), ...files.flatMap(diffOf)]);
    return EXIT.ok;
  }
  if (fresh.length > 0) {
    for (const line of [...summaryOf(project), ...files.flatMap(diffOf)]) {
      output.remark(line);
    }
    await requireYes(context, { message: `Write ${fresh.length} files?`, isAnswered: yes === true, what: "init" });
    await write(io.cwd, fresh);
  }
  const done = fresh.length === 0 ? "Nothing was left to write." : `Wrote ${fresh.map(({ path }) => path).join(", ")}.`;
  await output.result(document, [done, `Next: ${steps.install}`, ...steps.next.map((step) => `Then: ${step}`)]);
  return EXIT.ok;
}

/** A configuration of any ending is the one that there is: a second one would hide it, or be hidden. */
function planned(cwd: string, { path, text }: NewFile): PlannedFile {
  const config = CONFIG_NAMES.includes(path) ? findConfig(cwd, undefined) : null;
  const file = { path: config === null ? path : relative(cwd, config), text };
  return { ...file, state: stateOf(cwd, file) };
}

function stateOf(cwd: string, { path, text }: NewFile): FileState {
  const file = join(cwd, path);
  if (!existsSync(file)) {
    return "new";
  }
  return readFileSync(file, "utf8") === text ? "same" : "yours";
}

/** Each is new: one that came meanwhile is not overwritten. */
async function write(cwd: string, files: readonly NewFile[]): Promise<void> {
  for (const { path, text } of files) {
    const file = join(cwd, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: "wx" });
  }
}

function summaryOf({ framework, database, language, modules, manager }: Omit<Project, "packages">): readonly string[] {
  return [`An application with ${framework}, in ${language} (${modules}), with ${manager}; its notifications in ${database}.`];
}

const STATES: Readonly<Record<FileState, string>> = {
  new: "new file",
  same: "is there already",
  yours: "is there, with another text: it is left as it is",
};

function diffOf({ path, text, state }: PlannedFile): readonly string[] {
  const lines = state === "new" ? text.trimEnd().split("\n") : [];
  return [`${path}: ${STATES[state]}`, ...lines.map((line) => `+ ${line}`)];
}

import { globSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Application, type DeclarationReflection, type ProjectReflection, ReflectionKind } from "typedoc";

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, string | { readonly "@belfry/source"?: string }>>;
}

/** A module of the reference: one page. */
interface Module {
  /** What hosts import it by, and of core its room. */
  readonly title: string;
  /** The name of its page. */
  readonly page: string;
  readonly file: string;
}

/** The folder in which core has a file for each of its rooms: one page of them all would be too long to read. */
const ROOMS = "packages/core/src/public";

/** Modules that hosts do not begin with: those for authors of storages, transports, contracts and frameworks, and the suites that test them. */
const FOR_AUTHORS = /^(core-(auth|http|node|storage|transports)|testkit.*|.*-schema)$/;

/** What is written as a table: a heading for each member would make the pages long to read, and to build. */
const TABLES_OF = [
  "parametersFormat",
  "typeAliasPropertiesFormat",
  "interfacePropertiesFormat",
  "classPropertiesFormat",
  "propertyMembersFormat",
  "typeDeclarationFormat",
] as const;

/** Modules of nothing but tables, which hosts hand to drizzle-kit and do not read. */
const TABLES = /-schema$/;

/** Kinds of exports that need a comment. */
const DOCUMENTED = [
  ReflectionKind.Class,
  ReflectionKind.Function,
  ReflectionKind.Interface,
  ReflectionKind.TypeAlias,
  ReflectionKind.Variable,
];

/**
 * Writes a page for each entry point of the packages from the comments of its exports.
 *
 * @throws Error that names every export without a comment
 */
export async function writeReference(root: string, folder: string): Promise<void> {
  const modules = modulesOf(root);
  const application = await Application.bootstrapWithPlugins({
    entryPoints: modules.map(({ file }) => file),
    tsconfig: join(import.meta.dirname, "../tsconfig.reference.json"),
    basePath: root,
    out: folder,
    plugin: ["typedoc-plugin-markdown"],
    readme: "none",
    name: "Reference",
    skipErrorChecking: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    disableSources: true,
    logLevel: "Warn",
    validation: {
      notExported: false,
      invalidLink: true,
      invalidPath: false,
      rewrittenLink: false,
      notDocumented: false,
      unusedMergeModuleWith: false,
    },
  });
  application.options.setValue("router", "module");
  application.options.setValue("entryFileName", "index");
  application.options.setValue("hidePageHeader", true);
  application.options.setValue("hideBreadcrumbs", true);
  for (const format of TABLES_OF) {
    application.options.setValue(format, "table");
  }
  const project = await application.convert();
  if (project === undefined) {
    throw new Error("The reference cannot be made: TypeDoc does not read the sources.");
  }
  name(project, modules);
  requireComments(project);
  requireExamples(project);
  await application.generateOutputs(project);
  if (application.logger.hasErrors() || application.logger.hasWarnings()) {
    throw new Error("The reference has the problems above.");
  }
  await Promise.all(modules.map((module) => entitle(folder, module)));
}

/** Gives a page the title that hosts know its module by. */
async function entitle(folder: string, { page, title }: Module): Promise<void> {
  const file = join(folder, `${page}.md`);
  await writeFile(file, (await readFile(file, "utf8")).replace(/^# .*$/m, `# ${title}`));
}

/** The entry points of all packages that are published, with core's own rooms in place of its first one. */
function modulesOf(root: string): Module[] {
  return globSync("packages/*/package.json", { cwd: root })
    .sort()
    .flatMap((path) => {
      const manifest = JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest;
      const folder = join(root, path, "..");
      return manifest.private ? [] : entryPoints(root, folder, manifest);
    });
}

function entryPoints(root: string, folder: string, { name, exports }: Manifest): Module[] {
  const short = name.replace("@belfry/", "");
  return Object.entries(exports).flatMap(([key, target]) => {
    const source = typeof target === "string" ? undefined : target["@belfry/source"];
    if (source === undefined || key.startsWith("./inside/") || key.includes("*")) {
      return [];
    }
    if (name === "@belfry/core" && key === ".") {
      return globSync("*.ts", { cwd: join(root, ROOMS) })
        .sort()
        .map((file) => ({
          title: `${name}: ${basename(file, ".ts")}`,
          page: `core-${basename(file, ".ts")}`,
          file: join(root, ROOMS, file),
        }));
    }
    return [{ title: name + key.slice(1), page: short + key.slice(1).replaceAll("/", "-"), file: join(folder, source) }];
  });
}

/** Names the modules, which TypeDoc calls by their files. */
function name(project: ProjectReflection, modules: readonly Module[]): void {
  for (const reflection of project.children ?? []) {
    const { fileName } = project.getSymbolIdFromReflection(reflection) ?? {};
    reflection.name = modules.find(({ file }) => file === fileName)?.page ?? reflection.name;
  }
}

function requireComments(project: ProjectReflection): void {
  const modules = (project.children ?? []).filter(({ name }) => !TABLES.test(name));
  const missing = modules.flatMap((module) =>
    (module.children ?? []).filter(isUndocumented).map((reflection) => `${module.name}: ${reflection.name}`),
  );
  if (missing.length > 0) {
    throw new Error(`Exports need a comment that says what they are:\n${missing.join("\n")}`);
  }
}

/** Throws for functions of a package's first entry point, or of the contracts, that have no example: hosts begin with them. */
function requireExamples(project: ProjectReflection): void {
  const missing = (project.children ?? [])
    .filter(({ name }) => !FOR_AUTHORS.test(name))
    .flatMap((module) => (module.children ?? []).filter(lacksExample).map((reflection) => `${module.name}: ${reflection.name}`));
  if (missing.length > 0) {
    throw new Error(`Functions that hosts begin with need an @example:\n${missing.join("\n")}`);
  }
}

function lacksExample({ kind, signatures = [] }: DeclarationReflection): boolean {
  return kind === ReflectionKind.Function && !signatures.some(({ comment }) => comment?.getTag("@example") !== undefined);
}

function isUndocumented(reflection: DeclarationReflection): boolean {
  return DOCUMENTED.includes(reflection.kind) && ![reflection, ...(reflection.signatures ?? [])].some((one) => one.hasComment());
}

import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const TESTKIT = "packages/testkit/src/index.ts";
/** How a file asks which form to take. */
const READS = /process\.env\.BELFRY_LONG|\{[^}]*\bBELFRY_LONG\b[^}]*\} = process\.env/;
const IMPORT = /^(?:import|export) (?:type )?(?:\{([^}]*)\}|[^"{]*) from "([^"]+)";/gm;

/** A name that a file takes from another one. */
interface Taken {
  readonly file: string;
  readonly names: readonly string[];
}

const paths = globSync(["{packages,tools,examples}/*/{test,e2e}/**/*.{ts,tsx}", "packages/testkit/src/**/*.ts"], { cwd: root });
const sources = new Map(await Promise.all(paths.map(async (path) => [path, await readFile(join(root, path), "utf8")] as const)));

/** What a file imports from files beside it, and from the suites of the testkit. Types run nothing. */
function taken(path: string): readonly Taken[] {
  const imports = [...(sources.get(path) ?? "").matchAll(IMPORT)].filter(([statement]) => !/^\w+ type /.test(statement));
  return imports.flatMap(([, names = "", from = ""]) => {
    const list = names.split(",").map((name) => name.trim());
    const file = from === "@belfry/testkit" ? TESTKIT : join(path, "..", from);
    return file === TESTKIT ? taken(file).filter((suite) => suite.names.some((name) => list.includes(name))) : [{ file, names: list }];
  });
}

/** Whether a file, or one that it takes something from, has a long form. */
function isLonger(path: string, seen = new Set<string>()): boolean {
  if (seen.has(path)) {
    return false;
  }
  seen.add(path);
  return READS.test(sources.get(path) ?? "") || taken(path).some(({ file }) => isLonger(file, seen));
}

test("every test file with a long form is in a script that runs long forms", async () => {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const long = Object.values(scripts).filter((script) => script.includes("BELFRY_LONG=1"));
  const listed = long.flatMap((script) => script.split(" ").filter((word) => /^(packages|tools|examples)\//.test(word)));
  const files = paths.filter((path) => /\.test\.tsx?$/.test(path) && isLonger(path));
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((file) => !listed.some((start) => file.startsWith(start)))).toEqual([]);
});

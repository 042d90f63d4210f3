import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, glob, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { freshDatabase } from "@belfry/postgres-launcher";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { bundledPrograms } from "../../../test/bundled-program.ts";
import { COMPONENTS, extractExamples, fileOf } from "../src/extract-examples.ts";
import { freePort } from "../src/free-port.ts";
import { type Example, readExamples } from "../src/read-examples.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));
// The programs stand inside this package, so that they find its dependencies.
const extracted = fileURLToPath(new URL("../.extracted", import.meta.url));

const documents: string[] = [];
for await (const document of glob(["README.md", "CONTRIBUTING.md", "docs/**/*.md", "{packages,examples}/*/README.md"], { cwd: root })) {
  // What the site makes of comments and OpenAPI documents is tested where it comes from.
  if (!document.startsWith("docs/reference/")) {
    documents.push(document);
  }
}
const examples = (await Promise.all(documents.sort().map((document) => readExamples(root, document)))).flat();

beforeAll(async () => {
  await extractExamples(extracted, examples);
  const compilerOptions = {
    noEmit: true,
    emitDeclarationOnly: false,
    declaration: false,
    composite: false,
    incremental: true,
    // Documents may show a declaration without using it.
    noUnusedLocals: false,
    lib: ["es2024", "dom", "dom.iterable"],
    jsx: "react-jsx",
    types: ["node"],
  };
  const [base, root] = ["../../../tsconfig.base.json", "../../.."];
  const programs = { extends: base, compilerOptions, include: ["*.ts"], references: [{ path: root }] };
  const components = { extends: `../${base}`, compilerOptions, include: ["*"], references: [{ path: `../${root}` }] };
  await writeFile(join(extracted, "tsconfig.json"), JSON.stringify(programs));
  await writeFile(join(extracted, COMPONENTS, "tsconfig.json"), JSON.stringify(components));
});

afterAll(() => rm(extracted, { recursive: true, force: true }));

// On a clean checkout this compiles the declarations of all packages first, which `pnpm types` then finds done.
test("every TypeScript example in the documents compiles", { timeout: 600_000 }, async () => {
  expect(examples.length).toBeGreaterThan(20);
  const problems = await run("tsc", ["-b", "--pretty", "false", "--checkers", "1", extracted, join(extracted, COMPONENTS)], {
    cwd: root,
  }).then(
    () => "",
    (error: { stdout: string }) => error.stdout,
  );
  expect(problems).toBe("");
});

describe("examples that run", () => {
  const running = examples.filter(({ runs }) => runs);
  const sourceOf = (example: Example) => pathToFileURL(fileOf(extracted, example));
  let programOf: ReturnType<typeof bundledPrograms>;

  beforeAll(() => {
    programOf = bundledPrograms(running.map(sourceOf));
  });

  test.each(running)("$place prints what it says", async (example) => {
    const directory = await mkdtemp(join(tmpdir(), "belfry-docs-"));
    const database = example.code.includes("DATABASE_URL") ? await freshDatabase() : null;
    const env = { ...process.env, ...(database ? { DATABASE_URL: database.url } : {}) };
    try {
      const { stdout } = await run(process.execPath, [programOf(sourceOf(example))], { cwd: directory, env });
      expect(stdout).toBe(example.prints ?? stdout);
    } finally {
      await database?.drop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe("the quickstarts of the README", () => {
  const quickstarts = examples.filter(({ place, code }) => place.startsWith("README.md") && code.includes('"/orders"'));

  test("there is one for each framework, and a curl after them", () => {
    expect(quickstarts).toHaveLength(2);
  });

  test.each(quickstarts)("$place: an order is posted, and the curl shows what was said of it", async (example) => {
    const [, url = ""] = /`curl (http:\/\/127\.0\.0\.1:3000\/\S+)`/.exec(await readFile(join(root, "README.md"), "utf8")) ?? [];
    const directory = await mkdtemp(join(tmpdir(), "belfry-docs-"));
    const port = await freePort();
    const server = spawn(process.execPath, ["--conditions=@belfry/source", fileOf(extracted, example)], {
      cwd: directory,
      env: { ...process.env, PORT: String(port) },
      stdio: "ignore",
    });
    const exited = once(server, "exit");
    try {
      const post = () => fetch(`http://127.0.0.1:${port}/orders`, { method: "POST" });
      await vi.waitFor(async () => expect((await post()).status).toBe(201), { timeout: 50_000, interval: 100 });
      const shown = await (await fetch(url.replace("3000", String(port)))).json();
      expect(shown).toEqual([expect.objectContaining({ user_id: "user_123", content: "We are packing it.", is_read: false })]);
    } finally {
      server.kill();
      await exited;
      await rm(directory, { recursive: true, force: true });
    }
  });
});

/** Where a reader outside of the repository finds its files. */
const PUBLISHED = /^https:\/\/(github\.com\/belfry\/belfry\/(blob|tree)|raw\.githubusercontent\.com\/belfry\/belfry)\/main\//;

/** The links of a document outside of its examples. */
async function linksOf(document: string): Promise<{ readonly target: string; readonly heading: string | undefined }[]> {
  const text = (await readFile(join(root, document), "utf8")).replaceAll(/^```[\s\S]*?^```/gm, "");
  return [...text.matchAll(/\]\(([^)#\s]*)(?:#([^)]*))?\)/g)].map(([, target = "", heading]) => ({ target, heading }));
}

/** The file of the repository that a link leads to; null for a link to another site. */
function fileBehind(document: string, target: string): string | null {
  if (PUBLISHED.test(target)) {
    return join(root, target.replace(PUBLISHED, ""));
  }
  if (/^[a-z]+:/.test(target)) {
    return null;
  }
  return target === "" ? join(root, document) : join(root, dirname(document), target);
}

test("links between documents lead to a file, and to a heading in it", async () => {
  const broken: string[] = [];
  for (const document of documents) {
    for (const { target, heading } of await linksOf(document)) {
      const file = fileBehind(document, target);
      if (file !== null && !(await leadsSomewhere(file, heading))) {
        broken.push(`${document}: ${target}#${heading ?? ""}`);
      }
    }
  }
  expect(broken).toEqual([]);
});

test("READMEs of packages, which registries show too, have absolute links alone", async () => {
  const relative: string[] = [];
  for (const document of documents.filter((document) => document.startsWith("packages/"))) {
    for (const { target } of await linksOf(document)) {
      if (target !== "" && !/^https:/.test(target)) {
        relative.push(`${document}: ${target}`);
      }
    }
  }
  expect(relative).toEqual([]);
});

async function leadsSomewhere(file: string, heading: string | undefined): Promise<boolean> {
  if (heading === undefined) {
    return access(file).then(
      () => true,
      () => false,
    );
  }
  const headings = (await readFile(file, "utf8")).matchAll(/^#+ (.+)$/gm);
  return [...headings].some(
    ([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, "")
        .replaceAll(" ", "-") === heading,
  );
}

import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundledProgram } from "../../../test/bundled-program.ts";
import { EXIT } from "../src/index.ts";

const bin = new URL("../src/bin.ts", import.meta.url);
// Inside the package, so that a configuration finds what it imports.
const cwd = fileURLToPath(new URL("../node_modules/.cache/belfry-bin", import.meta.url));

beforeAll(() => {
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd, { recursive: true });
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

function program(before: readonly string[], args: readonly string[]) {
  const env = { ...process.env, DATABASE_URL: "sqlite:app.db", NODE_NO_WARNINGS: "1" };
  return spawnSync(process.execPath, [...before, ...args], { cwd, env, encoding: "utf8" });
}

test("the program takes its arguments, prints results alone on stdout, and ends with the code", () => {
  const bundled = [bundledProgram(bin)];
  const early = program(bundled, ["send", "--to", "ann", "--json"]);
  expect([early.status, JSON.parse(early.stdout)]).toEqual([EXIT.unreachable, { error: expect.objectContaining({ code: "FAILED" }) }]);
  expect(program(bundled, ["migrate"])).toMatchObject({ status: EXIT.ok });
  const sent = program(bundled, ["send", "--to", "ann", "--title", "Hello"]);
  expect([sent.status, sent.stdout, sent.stderr]).toEqual([EXIT.ok, expect.stringMatching(/^Created .*, in the inbox of ann\.\n$/), ""]);
});

test("an application of Next has the variables that its Next reads, also one whose configuration is named", () => {
  const application = join(cwd, "next");
  mkdirSync(join(application, "server"), { recursive: true });
  writeFileSync(join(application, "package.json"), JSON.stringify({ dependencies: { next: "*" } }));
  writeFileSync(join(application, ".env"), "FILE=own\nDATABASE_URL=sqlite:$FILE\\$.db\n");
  writeFileSync(join(application, ".env.development"), "FILE=developed\n");
  writeFileSync(join(application, ".env.production"), "FILE=produced\n");
  symlinkSync(fileURLToPath(new URL("../../../examples/next/node_modules", import.meta.url)), join(application, "node_modules"));
  writeFileSync(
    join(application, "server/belfry.config.mjs"),
    `const [nothing, migrations] = [async () => {}, async () => ({ known: 1, newest: 1, hasTables: true, pending: [] })];
     const database = { place: process.env.DATABASE_URL, migrations };
     export const notifications = { tenant() {}, sweep: nothing, start: nothing, stop: nothing, apiKeys: {}, database };`,
  );
  const { DATABASE_URL: _, NODE_ENV: __, ...others } = process.env;
  const placeFrom = (from: string, env: Readonly<Record<string, string>>, ...args: string[]) => {
    const ran = spawnSync(process.execPath, [bundledProgram(bin), "migrate", "--dry-run", "--json", ...args], {
      cwd: from,
      env: { ...others, ...env, NODE_NO_WARNINGS: "1" },
      encoding: "utf8",
    });
    expect(ran.stderr).toBe("");
    return (JSON.parse(ran.stdout) as { readonly place: string }).place;
  };
  expect(placeFrom(application, {})).toMatch(/developed\$\.db$/);
  expect(placeFrom(cwd, { NODE_ENV: "production" }, "--config", "next/server/belfry.config.mjs")).toBe("sqlite:produced$.db");
  expect(placeFrom(application, { DATABASE_URL: "sqlite:set.db" })).toMatch(/set\.db$/);
});

/** Gives a program a terminal of its own. It has no size, as that of a container may. */
const SCRIPT = "/usr/bin/script";

test.skipIf(!existsSync(SCRIPT))("in a terminal, somebody is asked: no and Ctrl-C change nothing, and yes does it", async () => {
  const bundled = bundledProgram(bin);
  const env = { ...process.env, DATABASE_URL: "sqlite:terminal.db", NODE_NO_WARNINGS: "1", CI: "" };
  const run = (...args: readonly string[]) => spawnSync(process.execPath, [bundled, ...args], { cwd, env, encoding: "utf8" }).status;
  expect([run("migrate"), run("send", "--to", "ann", "--title", "Hello")]).toEqual([EXIT.ok, EXIT.ok]);
  const answer = async (typed: string) => {
    const terminal = spawn(SCRIPT, ["-qec", `'${process.execPath}' '${bundled}' delete-user ann`, "/dev/null"], { cwd, env });
    let shown = "";
    let isAsked = false;
    terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
      shown += text;
      // The answers come last, once it listens.
      if (!isAsked && shown.includes("No")) {
        isAsked = true;
        terminal.stdin.write(typed);
      }
    });
    const code = await new Promise((resolve) => terminal.once("close", resolve));
    return { code, shown };
  };
  const question = 'Remove all data of "ann" in the tenant default\\? It cannot be brought back\\.';
  const ended = (code: number, said: string) => ({ code, shown: expect.stringMatching(new RegExp(`${question}.*${said}`, "s")) });
  expect(await answer("n")).toEqual(ended(EXIT.interrupted, "Nothing was changed\\."));
  expect(await answer("\u0003")).toEqual(ended(EXIT.interrupted, "Nothing was changed\\."));
  expect(await answer("y")).toEqual(ended(EXIT.ok, "Removed 2 rows of ann\\."));
});

test("results that cannot be written are a failure", () => {
  // Whatever is written there finds no space left.
  const full = openSync("/dev/full", "w");
  const env = { ...process.env, DATABASE_URL: "sqlite:app.db" };
  try {
    const args = [bundledProgram(bin), "migrate", "--dry-run"];
    const ran = spawnSync(process.execPath, args, { cwd, env, encoding: "utf8", stdio: ["ignore", full, "pipe"] });
    expect([ran.status, ran.stderr]).toEqual([EXIT.failed, expect.stringMatching(/^belfry: cannot write the results: ENOSPC/m)]);
  } finally {
    closeSync(full);
  }
});

test("a configuration in TypeScript that Node itself cannot run is loaded all the same", () => {
  writeFileSync(
    join(cwd, "belfry.config.ts"),
    `enum Place { File = "sqlite:configured.db" }
     const migrations = async () => ({ known: 1, newest: 1, hasTables: true, pending: [] });
     const nothing = async () => {};
     const service = { tenant() {}, sweep: nothing, start: nothing, stop: nothing, apiKeys: {}, database: { place: Place.File, migrations } };
     export default { notifications: service };`,
  );
  // From the sources: in one file, the loader of TypeScript does not find its parts.
  const ran = program(["--conditions=@belfry/source", fileURLToPath(bin)], ["migrate", "--dry-run", "--json"]);
  expect([ran.status, ran.stderr]).toEqual([EXIT.ok, ""]);
  expect(JSON.parse(ran.stdout)).toMatchObject({ place: "sqlite:configured.db", pending: [] });
});

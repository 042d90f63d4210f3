import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { EXIT } from "../src/index.ts";
import { filesFor } from "../src/init/files.ts";
import { belfry, directory, documentOf } from "./setup.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) {
    await cleanup();
  }
});

/** A directory with these files; what is no text is written as JSON. */
async function application(files: Readonly<Record<string, unknown>>): Promise<string> {
  const { path, remove } = await directory();
  cleanups.push(remove);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return path;
}

const express = { "package.json": { type: "module", dependencies: { express: "5.0.0" } } };

test("it detects framework, language, modules, package manager and database", async () => {
  const detected = async (files: Readonly<Record<string, unknown>>, ...args: string[]) =>
    documentOf(await belfry(["init", "--dry-run", "--json", ...args], { cwd: await application(files) }));
  expect(await detected(express)).toMatchObject({
    project: { framework: "express", language: "javascript", modules: "esm", manager: "npm", database: "sqlite", sources: "" },
    install:
      "npm install @belfry/core @belfry/storage-sqlite better-sqlite3 drizzle-orm @belfry/adapter-express && npm install -D @belfry/cli",
  });
  const hono = { dependencies: { hono: "4.0.0", pg: "8.0.0" }, devDependencies: { typescript: "6.0.0" } };
  expect(await detected({ "package.json": hono, "pnpm-lock.yaml": "", "src/main.ts": "" })).toMatchObject({
    project: { framework: "hono", language: "typescript", modules: "commonjs", manager: "pnpm", database: "postgres", sources: "src" },
    install: "pnpm add @belfry/core @belfry/storage-postgres drizzle-orm @belfry/adapter-hono && pnpm add -D @belfry/cli",
  });
  const next = { dependencies: { next: "16.0.0", express: "5.0.0" }, packageManager: "yarn@4.0.0" };
  expect(await detected({ "package.json": next, "tsconfig.json": "{}" }, "--storage", "postgres")).toMatchObject({
    project: { framework: "next", language: "typescript", modules: "esm", manager: "yarn", database: "postgres", importEnding: "" },
    files: expect.arrayContaining([{ path: "belfry.config.mts", state: "new" }]),
    install: expect.stringMatching(/^yarn add @belfry\/core @belfry\/storage-postgres pg drizzle-orm @belfry\/client @belfry\/react && /),
    next: expect.arrayContaining(['in next.config: serverExternalPackages: ["pg"]']),
  });
  const sourcesOfNext = async (...files: string[]) =>
    (await detected({ "package.json": next, ...Object.fromEntries(files.map((file) => [file, ""])) })).project;
  expect(await sourcesOfNext("src/lib/x.ts", "app/page.tsx")).toMatchObject({ sources: "" });
  expect(await sourcesOfNext("src/lib/x.ts")).toMatchObject({ sources: "src" });
  expect(await sourcesOfNext("src/app/page.tsx", "pages/old.tsx")).toMatchObject({ sources: "src" });
});

test("it shows each line, asks, and writes; a second run finds nothing to do", async () => {
  const cwd = await application(express);
  const no = await belfry(["init"], { cwd, types: "n" });
  expect([no.code, no.stderr]).toEqual([
    EXIT.interrupted,
    expect.stringMatching(/belfry\.js: new file[\s\S]*^\+ import \{ expressBelfry \}/m),
  ]);
  expect(existsSync(join(cwd, "belfry.js"))).toBe(false);

  const done = await belfry(["init", "--yes"], { cwd });
  expect([done.code, done.stdout]).toEqual([EXIT.ok, expect.stringMatching(/^Wrote notification-types\.js, .*\nNext: npm install /)]);
  const again = await belfry(["init", "--json"], { cwd });
  expect(again.code).toBe(EXIT.ok);
  expect((documentOf(again).files as { state: string }[]).map(({ state }) => state)).toEqual(Array.from({ length: 5 }, () => "same"));
});

test("what it did not write is left as it is", async () => {
  const cwd = await application({ ...express, "notifications.js": "// mine\n" });
  const done = documentOf(await belfry(["init", "--yes", "--json"], { cwd }));
  expect(done.files).toContainEqual({ path: "notifications.js", state: "yours" });
  expect(await readFile(join(cwd, "notifications.js"), "utf8")).toBe("// mine\n");
  expect(existsSync(join(cwd, "belfry.js"))).toBe(true);
});

test("a configuration with another ending stays the only one", async () => {
  const cwd = await application({ ...express, "belfry.config.mjs": "// mine\n" });
  const done = documentOf(await belfry(["init", "--yes", "--json"], { cwd }));
  expect(done.files).toContainEqual({ path: "belfry.config.mjs", state: "yours" });
  expect(existsSync(join(cwd, "belfry.config.js"))).toBe(false);
});

test.each<[string, Readonly<Record<string, unknown>>, string[], RegExp]>([
  ["no application", {}, [], /There is no .*package\.json/],
  ["a manifest that is no JSON", { "package.json": "{" }, [], /package\.json is no JSON/],
  ["no framework that it knows", { "package.json": {} }, [], /has none of express, hono, next.*--framework/],
  ["a framework that it does not know", express, ["--framework", "rails"], /'rails' is invalid.*express, hono, next/],
  ["nobody to ask", express, [], /--yes/],
])("%s: says what to do, and writes nothing", async (_, files, args, message) => {
  const cwd = await application(files);
  const { code, stderr } = await belfry(["init", ...args], { cwd });
  expect([code, stderr]).toEqual([EXIT.usage, expect.stringMatching(message)]);
  expect(existsSync(join(cwd, "belfry.js"))).toBe(false);
});

const typescript = {
  language: "typescript",
  modules: "esm",
  manager: "npm",
  sources: "",
  isModule: true,
  importEnding: ".ts",
  packages: new Set<string>(),
} as const;

// These files are compiled with the tests, so that what is written compiles.
describe.each([
  { ...typescript, framework: "express", database: "sqlite" },
  { ...typescript, framework: "hono", database: "postgres" },
  { ...typescript, framework: "next", database: "sqlite" },
] as const)("what is written for $framework", (project) => {
  test.each(filesFor(project))("$path", async ({ path, text }) => {
    await expect(text).toMatchFileSnapshot(`./written/${project.framework}/${path}`);
  });
});

test("commands need no secret of what is written", async () => {
  vi.stubEnv("JWT_SECRET", undefined);
  vi.stubEnv("DATABASE_FILE", join(await application({}), "app.db"));
  const configOf = (framework: string) => fileURLToPath(new URL(`./written/${framework}/belfry.config.ts`, import.meta.url));
  try {
    expect(await belfry(["migrate", "--config", configOf("express")])).toMatchObject({ code: EXIT.ok, stderr: "" });
    const examined = documentOf(await belfry(["doctor", "--json", "--config", configOf("next")]));
    expect(examined.findings).toContainEqual(expect.objectContaining({ about: "proxies", message: expect.stringContaining("Callers") }));
  } finally {
    vi.unstubAllEnvs();
    // Other tests load the applications anew: the commands have stopped their services.
    vi.resetModules();
    Reflect.deleteProperty(globalThis, "belfry");
  }
});

test("the mount of Express answers whom a JWT names", async () => {
  const { default: serve } = await import("express");
  const { SignJWT } = await import("jose");
  process.env.JWT_SECRET = "only-for-this-test-0123456789-0123456789";
  process.env.DATABASE_FILE = ":memory:";
  const { belfry: mounted, startBelfry, stopBelfry } = await import("./written/express/belfry.ts");
  const server = serve().use(mounted).listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    await startBelfry(server);
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const secret = new TextEncoder().encode(process.env.JWT_SECRET);
    const token = await new SignJWT().setProtectedHeader({ alg: "HS256" }).setSubject("ann").setExpirationTime("1h").sign(secret);
    const ask = (headers: Record<string, string>) => fetch(`http://127.0.0.1:${port}/api/belfry/v1/inbox`, { headers });
    expect((await ask({})).status).toBe(401);
    const answer = await ask({ authorization: `Bearer ${token}` });
    expect(answer.status).toBe(200);
  } finally {
    await stopBelfry();
    server.close();
  }
});

test("in CommonJS, imports and exports are those of require", () => {
  const files = filesFor({
    ...typescript,
    language: "javascript",
    modules: "commonjs",
    importEnding: ".js",
    framework: "express",
    database: "sqlite",
  });
  const texts = Object.fromEntries(files.map(({ path, text }) => [path, text]));
  for (const text of Object.values(texts)) {
    expect(text).not.toMatch(/^(?:import|export)\b|: Promise|: EventEmitter/m);
  }
  expect(texts["belfry.js"]).toMatch(
    /^const \{ expressBelfry \} = require\("@belfry\/adapter-express"\);[\s\S]*module\.exports = \{ belfry, startBelfry, stopBelfry \};\n$/,
  );
  expect(texts["belfry.config.js"]).toBe(
    'const { handler } = require("./belfry-options.js");\nconst { notifications } = require("./notifications.js");\n\nmodule.exports = { handler, notifications };\n',
  );
});

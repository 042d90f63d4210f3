import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowser, watchPage } from "../../../packages/dashboard/e2e/browser.ts";
import { bundledElement } from "../../../packages/element/e2e/bundled-element.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

let browser: Awaited<ReturnType<typeof startBrowser>>;
let host: ChildProcess;
let url: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belfry-vue-"));
  [browser] = await Promise.all([startBrowser(), buildPage()]);
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, PORT: "0", PAGE: join(folder, "page"), DATABASE_FILE: join(folder, "app.db") };
  host = spawn(process.execPath, ["--conditions=@belfry/source", here("../src/main.ts")], { env, stdio: ["ignore", "pipe", "inherit"] });
  const [said] = (await once(host.stdout ?? host, "data")) as [Buffer];
  url = /http:\/\/[^/]+/.exec(said.toString())?.[0] ?? "";
});

afterAll(async () => {
  await browser.close();
  host.kill();
  await once(host, "exit");
  await rm(folder, { recursive: true, force: true });
});

/** Builds the page by the example's own configuration, with the element as its sources are. */
async function buildPage(): Promise<void> {
  const element = join(folder, "element");
  await mkdir(element);
  for (const [path, { body }] of await bundledElement(here("../../../packages/element/src/index.ts"))) {
    await writeFile(join(element, basename(path)), body);
  }
  await build({
    configFile: here("../vite.config.ts"),
    root: here("../page"),
    logLevel: "error",
    resolve: { alias: { "@belfry/element": join(element, "index.js") } },
    build: { outDir: join(folder, "page"), emptyOutDir: true },
  });
}

test("what one user writes is in the other's inbox at once, and a page tells of it", async () => {
  const [ann, bob] = await Promise.all([browser.newPage(), browser.newPage()]);
  const pages = [ann, bob];
  const problems = pages.map(watchPage);
  await Promise.all([ann.goto(`${url}/?user=Ann`), bob.goto(`${url}/?user=Bob`)]);
  await bob.getByLabel("Bob writes to").selectOption("Ann");
  await Promise.all(pages.map((page) => page.getByText("All caught up").waitFor()));

  await bob.getByLabel("Text").fill("Lunch?");
  await bob.getByRole("button", { name: "Send" }).click();
  await ann.getByText("New: Bob wrote to you").waitFor();
  await ann.getByRole("article").getByText("Lunch?").waitFor();
  expect(await bob.getByRole("article").count()).toBe(0);
  expect(problems).toEqual([[], []]);
});

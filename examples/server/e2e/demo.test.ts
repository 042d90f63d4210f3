import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowser } from "../../../packages/dashboard/e2e/browser.ts";
import { DEMO_USERS } from "../src/demo/demo-users.ts";
import { MAIN, type ServerProcess, startServer } from "../test/run-server.ts";

const SCRIPT = fileURLToPath(new URL("../scripts/build-page.ts", import.meta.url));

let browser: Awaited<ReturnType<typeof startBrowser>>;
let server: ServerProcess;

beforeAll(async () => {
  const buildPage = promisify(execFile)(process.execPath, [SCRIPT, join(dirname(MAIN), "../.page")]);
  [browser, server] = await Promise.all([startBrowser(), startServer({ DEMO: "1" }), buildPage]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

test("the demo shows two inboxes, and what becomes of a notification that its form creates", async () => {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", ({ message }) => void problems.push(message));
  page.on("console", (message) => void (["error", "warning"].includes(message.type()) && problems.push(message.text())));
  await page.goto(server.url);
  page.setDefaultTimeout(50_000);
  const region = (name: string) => page.getByRole("region", { name });
  await region("Ann").getByText("Welcome, Ann").waitFor();
  await region("Bob").getByText("Welcome, Bob").waitFor();

  await page.getByLabel("Text").fill("At noon?");
  await page.getByRole("button", { name: "Create" }).click();
  for (const name of ["Ann", "Bob"]) {
    await region(name).getByText("Carla commented on “Lunch”").waitFor();
    await page.getByText(new RegExp(`${name} over email: `)).waitFor();
  }

  await page.getByLabel("A mention").check();
  await page.getByLabel("Of whom").selectOption("Bob");
  await page.getByRole("button", { name: "Create" }).click();
  await region("Bob").getByText("Carla mentioned you").waitFor();
  expect(await region("Ann").getByText("Carla mentioned you").count()).toBe(0);

  // The mails of the comment wait for others for some seconds, and go out then.
  for (const { email } of DEMO_USERS) {
    await region("Mails").getByRole("listitem").filter({ hasText: email }).filter({ hasText: "At noon?" }).first().waitFor();
  }

  const dashboard = await page.getByRole("link", { name: "the dashboard" }).getAttribute("href");
  expect((await fetch(`${server.url}${dashboard}`)).status).toBe(200);
  expect(problems).toEqual([]);
});

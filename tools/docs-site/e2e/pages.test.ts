import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { axeFindings } from "../../../packages/dashboard/e2e/axe.ts";
import { startBrowser, watchPage } from "../../../packages/dashboard/e2e/browser.ts";

const SITE = join(import.meta.dirname, "../.vitepress/dist");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

const PAGES = ["/", "/concepts.html", "/recipes/mentions.html", "/reference/routes/django.html", "/reference/api/channel-email.html"];

let browser: Browser;
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer(async ({ url: path = "/" }, response) => {
    const file = normalize(new URL(path, "http://localhost").pathname).replace(/\/$/, "/index.html");
    const body = await readFile(join(SITE, file)).catch(() => null);
    response.writeHead(body === null ? 404 : 200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(body ?? "");
  });
  const listening = new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  [browser] = await Promise.all([startBrowser(), listening]);
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await browser.close();
  server.close();
});

test.each(PAGES)("%s asks nobody else for anything, and has nothing that axe finds serious, in light and in dark", async (path) => {
  const problems: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    const context = await browser.newContext({ colorScheme });
    const page = await context.newPage();
    const complaints = watchPage(page);
    page.on("request", (request) => void (request.url().startsWith(url) || problems.push(`asks ${request.url()}`)));
    await page.goto(url + path);
    await page.locator("h1").first().waitFor();
    for (const { impact, text } of await axeFindings(page, colorScheme === "dark" ? "colours" : null)) {
      if (impact === "serious" || impact === "critical") {
        problems.push(`${colorScheme}: ${text}`);
      }
    }
    problems.push(...complaints);
    await context.close();
  }
  expect(problems).toEqual([]);
});

test("the search finds a page by a word in it", async () => {
  const page = await browser.newPage();
  await page.goto(url);
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("searchbox").fill("quiet hours");
  await page.getByRole("option").first().waitFor();
  expect(await page.getByRole("option").allInnerTexts()).toEqual(expect.arrayContaining([expect.stringMatching(/quiet hours/i)]));
  await page.close();
});

import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowser } from "./browser.ts";
import { setStage } from "./stage.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

/** Starts a proxy that serves `target` below `prefix`. It does not tell `target` the prefix. */
async function startProxy(target: string, prefix: string): Promise<{ server: Server; url: string }> {
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? "/";
    const below = path.startsWith(prefix) ? path.slice(prefix.length) : null;
    if (below === null) {
      outgoing.writeHead(404).end();
      return;
    }
    const url = new URL(below.startsWith("/") ? below : `/${below}`, target);
    const asked = request(
      url,
      { method: incoming.method, headers: { ...incoming.headers, "x-forwarded-for": "203.0.113.7" } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    asked.on("error", () => outgoing.destroy());
    outgoing.on("close", () => asked.destroy());
    incoming.pipe(asked);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}` };
}

test.each(["", "/"])("behind a proxy that cuts its prefix off, the page works when opened at the prefix and %j", async (slash) => {
  const stage = await setStage(browser, { framework: "express", prefix: "", authorize: () => ({ read: true, act: true }) });
  const proxy = await startProxy(stage.url(), "/ops/notifications");
  const { page, problems } = await stage.open();
  await page.goto(proxy.url + slash);
  await page.getByText("Live", { exact: true }).last().waitFor();
  await page.getByLabel("To user").fill("bob");
  await page.getByLabel("Message").fill("through the proxy");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("listitem").filter({ hasText: "through the proxy" }).waitFor();
  await page.getByRole("link", { name: "Search" }).click();
  await page.getByTestId("count").waitFor();
  expect(page.url()).toBe(`${proxy.url}${slash}?view=search`);
  await page.reload();
  await page.getByTestId("count").waitFor();
  expect(problems).toEqual([]);
  await stage.end();
  proxy.server.closeAllConnections();
  await new Promise((resolve) => proxy.server.close(resolve));
});

test("requests through a proxy on the same machine are refused without `authorize`", async () => {
  const stage = await setStage(browser, { framework: "hono", prefix: "" });
  const proxy = await startProxy(stage.url(), "/ops");
  const { page, problems } = await stage.open();
  await page.getByRole("heading", { name: "Inbox" }).waitFor();
  await page.goto(proxy.url);
  await page.getByRole("heading", { name: "No access" }).waitFor();
  expect(problems.every((problem) => problem.includes("403"))).toBe(true);
  await stage.end();
  proxy.server.closeAllConnections();
  await new Promise((resolve) => proxy.server.close(resolve));
});

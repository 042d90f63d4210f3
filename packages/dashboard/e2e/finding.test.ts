import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { startBrowser } from "./browser.ts";
import { type Stage, setStage } from "./stage.ts";

let browser: Browser;
let stage: Stage;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  stage = await setStage(browser, { framework: "express", prefix: "/admin" });
});

afterEach(() => stage.end());

test("a press finds what failed lately, chips say what is set and take it away, and the tab is named after the search", async () => {
  for (const to of ["+4911", "+4922"]) {
    await stage.service().create({ channels: ["sms"], to, message: "1234" });
  }
  await stage.service().runDue();
  await stage.service().create({ to: "bob", message: "Hello" });
  const { page, problems } = await stage.open("?view=search");
  await page.getByRole("link", { name: "Failed in the last hour" }).click();
  await page.getByTestId("count").getByText("2 notifications match").waitFor();
  await vi.waitFor(async () => expect(await page.title()).toBe("Search · Any delivery is failed · In the last hour · Belfry"));
  expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({ view: "search", state: "failed", since: "1h" });
  await page.getByLabel("Recipient").fill("+492");
  await page.keyboard.press("Enter");
  await page.getByTestId("count").getByText("1 notification match").waitFor();
  const chips = page.getByRole("list", { name: "Filters in use" });
  expect(await chips.getByRole("listitem").count()).toBe(3);
  for (const filter of ["Recipient begins with +492", "Any delivery is failed", "In the last hour"]) {
    await chips.getByRole("button", { name: `Take away: ${filter}` }).click();
  }
  await page.getByTestId("count").getByText("3 notifications").waitFor();
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
  expect(problems).toEqual([]);
});

test("names are proposed while one is typed, and found in either case; an error is found by a part", async () => {
  await stage.service().create({ to: "Ann-Marie", message: "Hello" });
  await stage.service().create({ channels: ["sms"], to: "+4911", message: "1234" });
  await stage.service().runDue();
  const { page } = await stage.open("?view=search");
  await page.getByTestId("count").waitFor();
  await page.getByLabel("Recipient").pressSequentially("ann");
  await vi.waitFor(async () =>
    expect(
      await page.locator("datalist#recipients option").evaluateAll((options) => options.map((one) => one.getAttribute("value"))),
    ).toEqual(["Ann-Marie"]),
  );
  await page.keyboard.press("Enter");
  await page.getByTestId("count").getByText("1 notification match").waitFor();
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByTestId("count").getByText("2 notifications").waitFor();
  await page.getByText("More filters").click();
  await page.getByLabel("Error has").fill("NO signal");
  await page.keyboard.press("Enter");
  await page.getByTestId("count").getByText("1 notification match").waitFor();
  await page.getByText("The gateway has no signal.").waitFor();
});

test("a record that failed is found by its error, beside its prompt and its event, and runs again", async () => {
  await stage.service().hub.handlers.create({ source: "shop", prompt: "What happened?" });
  for (const content of ["a fault in till 3", "all is well"]) {
    await stage.service().hub.events.create({ source: "shop", sender: "till 3", content });
  }
  const { page, problems } = await stage.open();
  await page.getByRole("link", { name: "Processing" }).click();
  const rows = page.locator("table.results tbody tr");
  await vi.waitFor(async () => expect(await rows.getByText(/^(failed|completed)$/).count()).toBe(2));
  await page.getByLabel("State").selectOption("failed");
  await page.getByLabel("Error has").fill("REFUSED");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await vi.waitFor(async () => expect(await rows.count()).toBe(1));
  await rows.getByText("The model refused.").waitFor();
  await rows.getByText("What happened?").waitFor();
  await page.getByRole("button", { name: "Run again: a fault in till 3" }).click();
  await vi.waitFor(async () =>
    expect((await stage.service().operator.auditLog())[0]).toMatchObject({ action: "retried", actor: "dashboard" }),
  );
  await rows.getByRole("link", { name: "a fault in till 3" }).click();
  await page.getByText("Retry asked for by dashboard").waitFor();
  expect(problems).toEqual([]);
});

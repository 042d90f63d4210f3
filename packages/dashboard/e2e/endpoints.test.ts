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
  stage = await setStage(browser, { framework: "hono", prefix: "/admin" });
});

afterEach(() => stage.end());

test("a channel is paused, shows what waits there and who paused it, and is resumed", async () => {
  stage.channel.isBroken = false;
  const { page, problems } = await stage.open("?view=health");
  await page.getByRole("link", { name: "Endpoints", exact: true }).click();
  await page.getByText("No endpoint fails").waitFor();
  await page.getByRole("button", { name: "Pause…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox").selectOption("sms");
  await dialog.getByLabel("Detail (optional)").fill("The gateway moves.");
  await dialog.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByRole("link", { name: "the channel sms" }).waitFor();
  const { notification } = await stage.service().create({ channels: ["sms"], to: "+4911", title: "Your code" });
  await stage.service().runDue();
  await page.getByRole("link", { name: "the channel sms" }).click();
  await page.locator("table.results").getByText("held back").waitFor();
  await page.getByRole("link", { name: "Your code" }).click();
  await page.getByText(/the channel sms, by dashboard, .+: The gateway moves\./).waitFor();
  await page.getByRole("link", { name: "Endpoints" }).click();
  await page.getByRole("button", { name: "Resume the channel sms" }).click();
  await page.getByRole("heading", { name: "Paused" }).waitFor({ state: "detached" });
  expect(await page.getByRole("status").last().textContent()).toBe("Resumed: the channel sms.");
  await vi.waitFor(async () => expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1"));
  await vi.waitFor(async () => expect((await stage.service().get(notification.id)).status).toBe("delivered"));
  expect(problems).toEqual([]);
});

test("a failing endpoint is one click from its channel's health, is tried once, and what failed there is retried", async () => {
  const service = stage.service();
  for (let index = 0; index < 3; index += 1) {
    await service.create({ channels: ["sms"], to: "+4911", title: `Code ${index}` });
  }
  await service.create({ channels: ["sms"], to: "+4912", title: "Other" });
  await service.runDue();
  const { page, problems } = await stage.open("?view=health");
  await page.getByRole("link", { name: "Failing endpoints" }).click();
  const endpoint = page.getByRole("listitem").filter({ has: page.getByRole("link", { name: "sms to +4911" }) });
  await endpoint.getByText("3 deliveries affected").waitFor();
  await endpoint.getByText("The gateway has no signal.").waitFor();
  stage.channel.isBroken = false;
  await endpoint.getByRole("button", { name: "Try one now" }).click();
  await page.getByRole("heading", { name: "Code 2" }).waitFor();
  await page.goBack();
  await endpoint.getByText("2 deliveries affected").waitFor();
  await endpoint.getByRole("button", { name: "Retry these" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Try 2 again" }).click();
  await dialog.getByText("2 of 2 tried again; finished").waitFor();
  // The list no longer has the endpoint, and the dialog still tells how its run ended.
  await endpoint.waitFor({ state: "detached" });
  expect(await dialog.getByTestId("retried").textContent()).toBe("2 of 2 tried again; finished");
  await dialog.getByRole("button", { name: "Close" }).click();
  await dialog.waitFor({ state: "detached" });
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
  await page.getByText("1 delivery affected").waitFor();
  expect(problems).toEqual([]);
});

import { loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { held, watchTasks } from "../../element/e2e/measure.ts";
import { startBrowser } from "./browser.ts";
import { setStage } from "./stage.ts";

// Times depend on the machine: they are printed, and not compared. The long form takes a minute, and wants a machine that does nothing else.
const SECONDS = process.env.BELFRY_LONG ? 60 : 1;
const TICKS_PER_SECOND = 10;
/** In each tick: 100 new items and 50 changes for each second. */
const CREATED = 10;
const CHANGED = 5;

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

test(`the live tail follows ${TICKS_PER_SECOND * (CREATED + CHANGED)} events a second`, { timeout: 300_000 }, async () => {
  const stage = await setStage(browser, { framework: "express", prefix: "/admin" });
  const { page, problems } = await stage.open("?view=live");
  await page.getByText("Live", { exact: true }).last().waitFor();
  const watched = await watchTasks(page);
  const begun = Date.now();
  let made = 0;
  for (let tick = 1; tick <= SECONDS * TICKS_PER_SECOND; tick += 1) {
    const service = stage.service();
    const created = await Promise.all(
      Array.from({ length: CREATED }, (_, index) => service.create({ to: `user-${index}`, message: `Event ${made + index + 1}.` })),
    );
    made += CREATED;
    await Promise.all(created.slice(0, CHANGED).map(({ notification: { id } }, index) => service.inbox(`user-${index}`).markRead(id)));
    await wait(Math.max(0, begun + (tick * 1_000) / TICKS_PER_SECOND - Date.now()));
  }
  const perSecond = Math.round(((made / CREATED) * (CREATED + CHANGED) * 1_000) / (Date.now() - begun));
  await page.getByTestId("tail").getByText(`Event ${made}.`).first().waitFor();
  const { frames, longTasks } = await watched.end();
  console.info(`the live tail, ${perSecond} events a second`, { frames, longTasks, ...(await held(page)), load: loadavg()[0] });
  expect(problems).toEqual([]);
  await stage.end();
});

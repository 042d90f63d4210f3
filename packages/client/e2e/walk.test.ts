import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startBrowser } from "../../dashboard/e2e/browser.ts";
import { changeBehind } from "../test/change-behind.ts";
import { type Random, randomsOf } from "../test/random.ts";
import { expectTruth } from "../test/truth.ts";
import { type Stage, setStage } from "./stage.ts";

const [BREAKS, CHANGES] = process.env.BELFRY_LONG ? [1_000, 5_000] : [12, 80];
const USERS = ["ann", "ben"];
const TABS = 4;
const PATIENCE = { timeout: 60_000, interval: 100 };

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

interface Person {
  readonly user: string;
  readonly profile: BrowserContext;
  readonly tabs: Page[];
}

/** Breaks something: connections, a tab, or the server. */
async function breakSomething(stage: Stage, { user, profile, tabs }: Person, random: Random): Promise<void> {
  const at = random(tabs.length);
  const kind = random(10);
  if (kind < 5) {
    stage.drop();
  } else if (kind < 7) {
    await tabs[at]?.reload();
  } else if (kind < 9) {
    await tabs[at]?.close();
    tabs[at] = await stage.open(profile, user);
  } else {
    await stage.stop();
    await stage.start();
  }
}

test("whatever breaks, every tab ends with what the database has, over one connection for each browser", {
  timeout: 7_200_000,
}, async () => {
  const random = randomsOf(7);
  const stage = await setStage(browser);
  const people: Person[] = [];
  for (const user of USERS) {
    const profile = await stage.profile();
    const tabs: Page[] = [];
    for (let opened = 0; opened < TABS; opened += 1) {
      tabs.push(await stage.open(profile, user));
    }
    people.push({ user, profile, tabs });
  }
  for (let made = 0; made < CHANGES; made += 1) {
    const person = people[random(people.length)] as Person;
    if (random(2) === 0) {
      await changeBehind(stage.service, person.user, random);
    } else {
      await person.tabs[random(TABS)]?.evaluate((seed) => window.tab?.change(seed, 1), random(1_000_000));
    }
    if (random(CHANGES) < BREAKS) {
      await breakSomething(stage, person, random);
    }
  }
  for (const { user, tabs } of people) {
    for (const tab of tabs) {
      await vi.waitFor(async () => expectTruth(stage.service, user, await tab.evaluate(() => window.tab.shown())), PATIENCE);
    }
  }
  await vi.waitFor(() => expect(stage.connections()).toBe(USERS.length), PATIENCE);
  await stage.end();
});

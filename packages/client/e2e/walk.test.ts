import { randomInt } from "node:crypto";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startBrowser } from "../../dashboard/e2e/browser.ts";
import { changeBehind } from "../test/change-behind.ts";
import { type Random, randomsOf } from "../test/random.ts";
import { expectTruth } from "../test/truth.ts";
import { frozen } from "./frozen.ts";
import { type Stage, setStage } from "./stage.ts";

const { BELFRY_LONG, BELFRY_WALK_SEED } = process.env;
const [BREAKS, CHANGES] = BELFRY_LONG ? [1_000, 5_000] : [12, 84];
/** The short form takes the same walk each time. The long form takes a new one, unless a seed is given. */
const SEED = Number(BELFRY_WALK_SEED ?? (BELFRY_LONG ? randomInt(2 ** 31) : 7));
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

async function personOf(stage: Stage, user: string): Promise<Person> {
  const profile = await stage.profile();
  const tabs: Page[] = [];
  for (let opened = 0; opened < TABS; opened += 1) {
    tabs.push(await stage.open(profile, user));
  }
  return { user, profile, tabs };
}

/** Breaks something: connections, a tab, or the server. */
async function breakSomething(stage: Stage, { user, profile, tabs }: Person, random: Random): Promise<void> {
  const at = random(tabs.length);
  const tab = tabs[at] as Page;
  const kind = random(20);
  if (kind < 9) {
    stage.drop();
  } else if (kind < 13) {
    await tab.reload();
  } else if (kind < 16) {
    await tab.close();
    tabs[at] = await stage.open(profile, user);
  } else if (kind < 18) {
    await frozen(tab, async () => {
      stage.drop();
      await changeBehind(stage.service, user, random);
    });
  } else {
    await stage.stop();
    await stage.start();
  }
}

/** Waits until every tab shows what the database has, over one connection for each browser. */
async function settled(stage: Stage, people: readonly Person[]): Promise<void> {
  for (const { user, tabs } of people) {
    for (const tab of tabs) {
      await vi.waitFor(async () => expectTruth(stage.service, user, await tab.evaluate(() => window.tab.shown())), PATIENCE);
    }
  }
  await vi.waitFor(() => expect(stage.connections()).toBe(people.length), PATIENCE);
}

test(`walk ${SEED}: whatever breaks, every tab ends with what the database has, over one connection for each browser`, {
  timeout: 7_200_000,
}, async () => {
  const random = randomsOf(SEED);
  const stage = await setStage(browser);
  const people: Person[] = [];
  for (const user of USERS) {
    people.push(await personOf(stage, user));
  }
  for (let made = 1; made <= CHANGES; made += 1) {
    const person = people[random(people.length)] as Person;
    if (random(2) === 0) {
      await changeBehind(stage.service, person.user, random);
    } else {
      await person.tabs[random(TABS)]?.evaluate((seed) => window.tab.change(seed, 1), random(1_000_000));
    }
    if (made % (CHANGES / BREAKS) === 0) {
      await breakSomething(stage, person, random);
    }
  }
  await settled(stage, people);
  // What is pushed is not asked for.
  const lists = () => stage.requests.filter((request) => request === "GET /api/belfry/v1/inbox").length;
  const listed = lists();
  for (const { user } of people) {
    const { notification } = await stage.service.create({ to: user, type: "note", title: "The last but one" });
    await stage.service.create({ to: user, type: "talk", title: "The last" });
    await stage.service.inbox(user).markRead(notification.id);
  }
  await settled(stage, people);
  expect(lists()).toBe(listed);
  await stage.end();
});

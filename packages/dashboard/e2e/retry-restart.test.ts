import type { NotificationServiceOptions } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { PostgresSetting } from "../../../bench/src/settings/postgres.ts";
import type { Framework } from "../test/host.ts";
import { startBrowser } from "./browser.ts";
import { setStage } from "./stage.ts";

const { BELFRY_LONG } = process.env;
/** Sends to the endpoint that failed. */
const FAILED = BELFRY_LONG ? 5_000 : 100;
const ENDPOINT = "+4911";
// The long form may take half an hour; what hangs in the short one is to be seen soon.
const PATIENTLY = { timeout: process.env.BELFRY_LONG ? 1_800_000 : 120_000, interval: 20 };

/** A database of its own. SQLite's is the stage's. */
interface Opened {
  readonly storage?: () => NotificationServiceOptions["storage"];
  close(): Promise<void>;
}

async function openPostgres(): Promise<Opened> {
  const setting = await PostgresSetting.open();
  return { storage: () => postgresStorage(setting.url), close: () => setting.close() };
}

const HOSTS: readonly (readonly [Framework, string, () => Promise<Opened>])[] = [
  ["express", "SQLite", async () => ({ close: async () => {} })],
  ["hono", "PostgreSQL", openPostgres],
];

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

test.each(HOSTS)(
  `a retry of ${FAILED} over a restart in the middle goes on, and its dialog says how it ended: %s, %s`,
  {
    timeout: 3_600_000,
  },
  async (framework, _, open) => {
    const { storage, close } = await open();
    const stage = await setStage(browser, { framework, prefix: "/admin", ...(storage === undefined ? {} : { storage }) });
    try {
      for (let made = 0; made < FAILED; made += 100) {
        await Promise.all(Array.from({ length: 100 }, () => stage.service().create({ channels: ["sms"], to: ENDPOINT, message: "Code" })));
      }
      await vi.waitFor(async () => expect(await stage.service().operator.count({ state: "failed" })).toBe(FAILED), PATIENTLY);
      const { page } = await stage.open("?view=endpoints");
      await page.getByRole("button", { name: `Retry these: sms to ${ENDPOINT}` }).click();
      const dialog = page.getByRole("dialog");
      stage.channel.isBroken = false;
      const deliver = vi.spyOn(stage.channel, "deliver");
      // The page has to know of the run before the host goes: it follows none whose answer it did not get.
      const started = page.waitForResponse((response) => response.request().method() === "POST" && response.url().includes("retry-runs"));
      await dialog.getByRole("button", { name: /^Try .+ again$/ }).click();
      await started;
      const elsewhere = stage.elsewhere();
      const runs = async () => (await elsewhere.operator.retries.list()).map(({ state, looked, retried }) => ({ state, looked, retried }));
      await vi.waitFor(async () => expect((await runs())[0]?.looked).toBeGreaterThan(0), { ...PATIENTLY, interval: 1 });
      await stage.stop();
      expect(await runs()).toMatchObject([{ state: "running" }]);
      await stage.start();
      await stage.service().start();
      await dialog.getByText(new RegExp(`of ${FAILED.toLocaleString("en")} tried again; finished`)).waitFor({ timeout: PATIENTLY.timeout });
      expect(await runs()).toEqual([{ state: "finished", looked: FAILED, retried: FAILED }]);
      await vi.waitFor(async () => expect(await stage.service().operator.count({ state: "delivered" })).toBe(FAILED), PATIENTLY);
      expect(deliver).toHaveBeenCalledTimes(FAILED);
    } finally {
      await stage.end();
      await close();
    }
  },
);

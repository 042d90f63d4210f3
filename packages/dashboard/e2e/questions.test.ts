import { loadavg } from "node:os";
import type { Directory, NotificationServiceOptions } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { enqueueInPostgres } from "../../../bench/src/settings/due-postgres.ts";
import { enqueuerInSqlite } from "../../../bench/src/settings/due-sqlite.ts";
import { fillPostgres } from "../../../bench/src/settings/fill-postgres.ts";
import { fillSqlite } from "../../../bench/src/settings/fill-sqlite.ts";
import { noopChannel } from "../../../bench/src/settings/noop-channel.ts";
import { PostgresSetting } from "../../../bench/src/settings/postgres.ts";
import { SqliteSetting } from "../../../bench/src/settings/sqlite.ts";
import { usersOf } from "../../../bench/src/settings/users.ts";
import type { Framework } from "../test/host.ts";
import { startBrowser } from "./browser.ts";
import { type Stage, setStage } from "./stage.ts";

// Times depend on the machine: they are printed, and not compared. The long form fills databases for some minutes.
const { BELFRY_LONG } = process.env;
/** Notifications in inboxes, and sends that were delivered. */
const [ITEMS, DELIVERED] = BELFRY_LONG ? [800_000, 200_000] : [300, 100];
/** Sends to the endpoint that fails. */
const FAILED = BELFRY_LONG ? 5_000 : 30;
const BROKEN = "+49301234";
const TIMEOUT = { timeout: 1_800_000 };

/** A database with many notifications. */
interface Filled {
  storage(): NotificationServiceOptions["storage"];
  close(): Promise<void>;
}

async function filledSqlite(): Promise<Filled> {
  const setting = await SqliteSetting.open();
  await setting.tables("app.db");
  const raw = setting.raw("app.db");
  fillSqlite(raw, { items: ITEMS, users: usersOf(1_000) });
  enqueuerInSqlite(raw)(DELIVERED);
  raw.close();
  return { storage: () => sqliteStorage(setting.path("app.db")), close: () => setting.close() };
}

async function filledPostgres(): Promise<Filled> {
  const setting = await PostgresSetting.open();
  const { service, pool } = await setting.belfry("public", 1);
  await service.stop();
  await fillPostgres(pool, "public", { items: ITEMS, users: usersOf(1_000) });
  await enqueueInPostgres(pool, "public", DELIVERED);
  // As in a database that was filled long ago: otherwise the server cleans up beside the questions.
  await pool.query("VACUUM ANALYZE");
  return { storage: () => postgresStorage(setting.url), close: () => setting.close() };
}

const directory: Directory = (ids) => new Map(ids.map((id) => [id, { sms: id === "user_000017" ? BROKEN : `+49${id.slice(-4)}` }]));

/** Counts clicks, and how long it takes from the last one until what answers the question is there. */
class Asker {
  readonly page: Page;
  clicks = 0;
  #begunMs = 0;

  constructor(page: Page) {
    this.page = page;
  }

  async click(target: Locator): Promise<void> {
    await target.waitFor();
    this.clicks += 1;
    this.#begunMs = performance.now();
    await target.click();
  }

  /** Types a name into a field, and presses Enter: no click. */
  async type(field: string, text: string): Promise<void> {
    await this.page.getByLabel(field, { exact: true }).fill(text);
    this.#begunMs = performance.now();
    await this.page.keyboard.press("Enter");
  }

  async sees(answer: Locator): Promise<number> {
    await answer.first().waitFor({ timeout: 60_000 });
    return Math.round(performance.now() - this.#begunMs);
  }
}

interface Question {
  readonly asks: string;
  /** Where the person begins. */
  readonly at: string;
  /** Leads to the answer, and resolves with the milliseconds of the slowest step. */
  find(asker: Asker): Promise<number>;
}

const QUESTIONS: readonly Question[] = [
  {
    asks: "why did user 17 not get the message?",
    at: "?view=search",
    async find(asker) {
      await asker.type("User", "user_000017");
      const row = asker.page.getByRole("link", { name: "Code for 17" });
      const foundMs = await asker.sees(row);
      await asker.click(row);
      return Math.max(foundMs, await asker.sees(asker.page.getByText("The gateway has no signal.")));
    },
  },
  {
    asks: "which endpoint fails, since when?",
    at: "?view=inbox",
    async find(asker) {
      await asker.click(asker.page.getByRole("link", { name: "Endpoints" }));
      return await asker.sees(asker.page.locator(".endpoint", { hasText: BROKEN }).getByText("since"));
    },
  },
  {
    asks: "is the queue growing?",
    at: "?view=inbox",
    async find(asker) {
      await asker.click(asker.page.getByRole("link", { name: "Health" }));
      return await asker.sees(asker.page.getByText("Oldest due"));
    },
  },
  {
    asks: "retry that endpoint's",
    at: "?view=endpoints",
    async find(asker) {
      await asker.click(asker.page.getByRole("button", { name: `Retry these: sms to ${BROKEN}` }));
      const retry = asker.page.getByRole("dialog").getByRole("button", { name: /^Try .+ again$/ });
      const countedMs = await asker.sees(retry);
      await asker.click(retry);
      return Math.max(countedMs, await asker.sees(asker.page.getByTestId("retried")));
    },
  },
  {
    asks: "who did this?",
    at: "?view=inbox",
    async find(asker) {
      await asker.click(asker.page.getByRole("link", { name: "Audit" }));
      return await asker.sees(asker.page.locator("table.results").getByText("dashboard"));
    },
  },
];

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const FRAMEWORKS: readonly Framework[] = BELFRY_LONG ? ["express", "hono"] : ["hono"];
const SQLITE = ["SQLite", filledSqlite] as const;

/** Where the answers are is the same in every host; the databases and frameworks answer alike, as their suites show. */
const DATABASES: readonly (readonly [name: string, fill: () => Promise<Filled>])[] = BELFRY_LONG
  ? [SQLITE, ["PostgreSQL", filledPostgres]]
  : [SQLITE];

describe.each(DATABASES)(`with ${ITEMS + DELIVERED} notifications on %s`, (name, fill) => {
  let filled: Filled;

  beforeAll(async () => {
    filled = await fill();
  }, TIMEOUT.timeout);
  afterAll(() => filled.close(), TIMEOUT.timeout);

  test.each(FRAMEWORKS)("each question is answered after two clicks at the most, in a host of %s", TIMEOUT, async (framework) => {
    const options = { framework, prefix: "/admin", storage: filled.storage, channels: [noopChannel()], directory };
    const stage: Stage = await setStage(browser, options);
    await tell(stage);
    const took: Record<string, object> = {};
    for (const { asks, at, find } of QUESTIONS) {
      const { page, problems } = await stage.open(at);
      const asker = new Asker(page);
      took[asks] = { slowestMs: await find(asker), clicks: asker.clicks };
      expect(asker.clicks).toBeLessThanOrEqual(2);
      expect(problems).toEqual([]);
      await page.context().close();
    }
    console.info(`${name}, ${framework}`, took, { load: loadavg()[0] });
    await stage.end();
  });
});

/** Has the story happen: an endpoint fails, and one user's message went there. */
async function tell(stage: Stage): Promise<void> {
  const service = stage.service();
  for (let made = 0; made < FAILED; made += 100) {
    const count = Math.min(100, FAILED - made);
    await Promise.all(Array.from({ length: count }, () => service.create({ channels: ["sms"], to: BROKEN, message: "Code" })));
  }
  await service.create({ channels: ["sms"], to: "user_000017", title: "Code for 17", message: "Code" });
  await service.runDue();
  await vi.waitFor(async () => expect(await service.operator.count({ state: "due" })).toBe(0), { timeout: 900_000, interval: 500 });
}

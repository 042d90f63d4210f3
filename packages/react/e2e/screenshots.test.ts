import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, defineTypes, systemClock } from "@belfry/core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBrowser } from "../../dashboard/e2e/browser.ts";
import { type InboxStage, setInboxStage } from "./stage.ts";

/** The documents' pictures are taken anew only on demand: every run takes slightly different ones. */
const DIRECTORY = process.env.UPDATE_SCREENSHOTS
  ? fileURLToPath(new URL("../../../docs/screenshots", import.meta.url))
  : join(tmpdir(), "belfry-screenshots");

const types = defineTypes({
  comment: { label: "New comment", category: "social", channels: { inbox: true, email: true } },
  mention: { label: "Mention", category: "social", channels: { inbox: { optional: true }, email: true } },
  invoice: { label: "Invoice", category: "billing", required: ["inbox", "email"], channels: { inbox: true, email: true } },
  build: { label: "Build", channels: { inbox: true, email: true } },
});

let browser: Browser;
let stage: InboxStage;

/** How long ago the story's present moment is; the story ends now. */
let agoMs = 0;
const clock: Clock = { ...systemClock, now: () => Date.now() - agoMs };

beforeAll(async () => {
  browser = await startBrowser();
  await mkdir(DIRECTORY, { recursive: true });
  const directory = async (ids: readonly string[]) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));
  stage = await setInboxStage(browser, { clock, types, directory });
  await play(stage, "ann");
});

afterAll(async () => {
  await stage.end();
  await browser.close();
});

/** Plays two days of a team's work. */
async function play({ service }: InboxStage, user: string): Promise<void> {
  const inbox = service.inbox(user);
  const at = (minutes: number) => {
    agoMs = minutes * 60_000;
  };
  const create = async (minutes: number, input: object) => {
    at(minutes);
    return (await service.create({ to: user, ...input } as Parameters<typeof service.create>[0])).notification.id;
  };
  const read: string[] = [];
  read.push(
    await create(2_900, {
      type: "invoice",
      title: "Invoice for October",
      message: "It was paid by card ending in 4242.",
      url: "/invoices/10",
    }),
  );
  read.push(
    await create(1_700, {
      type: "mention",
      actor: "Noor",
      title: "Noor mentioned you in Roadmap",
      message: "“@ann can you take the second milestone?”",
      url: "/docs/roadmap",
    }),
  );
  for (const [minutes, name] of [
    [95, "Ben"],
    [80, "Chloe"],
    [60, "Ben"],
    [41, "Dmitri"],
  ] as const) {
    await create(minutes, {
      type: "comment",
      actor: name,
      group: "post:7",
      title: `${name} commented on Launch plan`,
      message: "I would move the announcement to Thursday, after the migration.",
      url: "/posts/7",
    });
  }
  const pinned = await create(300, {
    type: "build",
    title: "Maintenance on Sunday",
    message: "Sign-in is read-only between 02:00 and 02:30 UTC.",
    url: "/status",
  });
  read.push(pinned);
  read.push(await create(35, { type: "build", title: "Build 1284 passed", message: "main · 4 min 12 s", url: "/builds/1284" }));
  await create(18, {
    type: "comment",
    actor: "Ümit",
    title: "Ümit asked to join Design",
    message: "“I would like to help with the icons.”",
    actions: [
      { label: "Approve", url: "/teams/design/approve" },
      { label: "Decline", url: "/teams/design/decline" },
    ],
  });
  await create(6, {
    type: "build",
    priority: "urgent",
    title: "Payments are failing",
    message: "Error rate above 5 % for the last ten minutes.",
    url: "/incidents/31",
  });
  await create(1, {
    type: "mention",
    actor: "Grace",
    title: "Grace shared a file with you",
    message: "Quarterly numbers.xlsx",
    url: "/files/9",
  });
  at(0);
  for (const id of read) {
    await inbox.markRead(id);
  }
  await inbox.pin(pinned);
}

const menu = async (page: Page) => {
  await page.locator("article").nth(2).hover();
  await page.locator("article").nth(2).locator("[aria-haspopup=menu]").click();
  await page.getByRole("menuitem").first().waitFor();
};
const preferences = async (page: Page) => {
  await page.locator(".belfry-header [data-icon=settings]").click();
  await page.getByRole("switch").first().waitFor();
};

/** A state of the inbox, and how it is reached. */
interface State {
  readonly name: string;
  /** Of the page. */
  readonly search: string;
  readonly options?: BrowserContextOptions;
  /** What is waited for once the inbox is open. @default an item */
  readonly shown?: string;
  readonly more?: (page: Page) => Promise<void>;
}

const STATES: readonly State[] = [
  { name: "inbox", search: "" },
  { name: "menu", search: "", more: menu },
  { name: "preferences", search: "", more: preferences },
  { name: "phone", search: "", options: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true } },
  { name: "arabic", search: "locale=ar", shown: ".belfry[dir=rtl] article" },
  { name: "empty", search: "user=nobody", shown: ".belfry-state" },
];

describe.each(["light", "dark"] as const)("in %s", (scheme) => {
  test.each(STATES)("a picture of $name", async ({ name, search, options, shown = "article", more }) => {
    const viewport = { width: 900, height: 760 };
    const { page, problems } = await stage.open(`?scheme=${scheme}&${search}`, { viewport, ...options, colorScheme: scheme });
    await page.locator(".belfry-bell").click();
    await page.locator(shown).first().waitFor();
    await more?.(page);
    await page.screenshot({ path: join(DIRECTORY, `react-${name}-${scheme}.png`), animations: "disabled" });
    expect(problems).toEqual([]);
  });
});

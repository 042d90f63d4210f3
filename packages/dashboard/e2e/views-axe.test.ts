import type { Channel, DeliveryOutcome } from "@belfry/core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BreakableChannel } from "../test/breakable-channel.ts";
import { startBrowser } from "./browser.ts";
import { seriousProblems } from "./serious-problems.ts";
import { type Stage, setStage } from "./stage.ts";

const WIDTHS = [
  { width: 1280, height: 900 },
  { width: 360, height: 700 },
] as const;

/** What a search shows of a send, in each state that one can have. */
const STATES = ["scheduled", "due", "running", "retrying", "held back", "sent", "delivered", "failed", "skipped", "cancelled"];

/** A channel that answers when it is told to. */
function slowChannel(answer: Promise<DeliveryOutcome>): Channel {
  return { name: "slow", retryDelaysMs: [], timeoutMs: 600_000, invalidRecipient: () => null, deliver: () => answer };
}

/** A channel that only knows that somebody took the message. */
const letter: Channel = {
  name: "letter",
  retryDelaysMs: [],
  timeoutMs: 1_000,
  invalidRecipient: () => null,
  deliver: async () => ({ status: "sent", provider: "post" }),
};

let browser: Browser;
let stage: Stage;
let sendId: string;
const slow = Promise.withResolvers<DeliveryOutcome>();

beforeAll(async () => {
  browser = await startBrowser();
  const channels = [slowChannel(slow.promise), letter, new BreakableChannel("pager", [3_600_000])];
  stage = await setStage(browser, { framework: "express", prefix: "/admin", channels });
  const service = stage.service();
  const { notification } = await service.create({
    to: ["bob", "eve"],
    title: "Order shipped",
    message: "On its way",
    data: { action_url: "https://example.com" },
  });
  await service.inbox("eve").markRead(notification.id);
  await service.suppressions.add({ channel: "sms", address: "+4913", detail: "Answered STOP. ".repeat(30), actor: "ann" });
  await service.suppressions.add({ channel: "sms", address: "+4914" });
  await service.deleteUser("dan", { addresses: ["+4914"] });
  await service.operator.pauses.pause({ channel: "sms", recipient: "+4915", detail: "Moves to another number. ".repeat(20), actor: "ann" });
  const send = async (channel: string, to: string | readonly string[], scheduledAt?: Date) => {
    const made = await service.create({
      channels: [channel],
      to,
      title: `Over ${channel}`,
      message: "1234",
      ...(scheduledAt && { scheduledAt }),
    });
    return made.notification.id;
  };
  const later = new Date(Date.now() + 3_600_000);
  sendId = await send("sms", ["+4911", "+4912"]);
  await send("sms", "+4913");
  await send("sms", "+4915");
  await send("pager", "+4916");
  await send("letter", "Main Street 1");
  await send("sms", "+4917", later);
  await service.cancel(await send("sms", "+4918", later));
  await service.runDue();
  stage.channel.isBroken = false;
  await send("sms", "+4919");
  await service.runDue();
  await Promise.all(Array.from({ length: 20 }, () => send("slow", "desk")));
});

afterAll(async () => {
  slow.resolve({ status: "delivered", provider: "desk" });
  await stage.end();
  await browser.close();
});

async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector("h1") !== null && document.querySelector(".skeleton") === null);
  await page.getByText("Live", { exact: true }).last().waitFor();
}

/** Nothing serious in any colours at any width, and no page that scrolls sideways. */
async function expectAccessible(page: Page): Promise<void> {
  for (const viewport of WIDTHS) {
    await page.setViewportSize(viewport);
    expect(await seriousProblems(page, { coloursSeen: viewport !== WIDTHS[0] })).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  }
}

test("a search shows every state of a send in a word, accessibly", async () => {
  const { page } = await stage.open("?view=search");
  await settled(page);
  for (const state of STATES) {
    await page.locator("table.results").getByText(state, { exact: true }).first().waitFor();
  }
  await expectAccessible(page);
});

test.each([
  ["an inbox", "?view=inbox&user=eve"],
  ["an empty inbox", "?view=inbox&user=nobody"],
  ["a search with filters", "?view=search&status=failed"],
  ["a search that finds nothing", "?view=search&type=nothing"],
  ["a timeline", "timeline"],
  ["a notification that is not there", "?view=notification&id=nothing"],
  ["health", "?view=health"],
  ["the live tail", "?view=live"],
  ["processing records", "?view=records"],
  ["endpoints", "?view=endpoints"],
  ["suppressed addresses", "?view=suppressions"],
  ["the audit log", "?view=audit"],
  ["a user", "?view=user&id=eve"],
  ["an address", "?view=user&id=%2B4911"],
])("axe finds nothing serious in %s", async (_, search) => {
  const { page } = await stage.open(search === "timeline" ? `?view=notification&id=${sendId}` : search);
  await settled(page);
  for (const summary of await page.locator("summary").all()) {
    await summary.click();
  }
  await expectAccessible(page);
});

test("axe finds nothing serious in the dialogs and in an error", async () => {
  const { page } = await stage.open("?view=suppressions");
  await settled(page);
  const dialogs = [
    ["Suppressed", "Suppress an address…"],
    ["Suppressed", "Lift +4913 over sms"],
    ["Endpoints", "Pause…"],
    ["Search", "Send a test…"],
    ["Search", "Retry what failed…"],
  ] as const;
  for (const [view, name] of dialogs) {
    await page.getByRole("link", { name: view, exact: true }).click();
    await page.getByRole("button", { name }).click();
    await page.getByRole("dialog").waitFor();
    await page.waitForFunction(() => document.querySelector(".skeleton") === null);
    await expectAccessible(page);
    await page.setViewportSize(WIDTHS[0]);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  }
  await page.route("**/api/**", (route) => route.fulfill({ status: 500, body: "" }));
  await page.getByLabel("Type").fill("x");
  await page.keyboard.press("Enter");
  await page.getByText("The search failed.").waitFor();
  await expectAccessible(page);
});

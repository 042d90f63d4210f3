import { defineTypes } from "@belfry/core";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startBrowser } from "./browser.ts";
import { seriousProblems } from "./serious-problems.ts";
import { type Stage, setStage } from "./stage.ts";

let browser: Browser;
let stage: Stage;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  stage = await setStage(browser, { framework: "express", prefix: "/admin" });
  const service = stage.service();
  const { notification } = await service.create({
    to: ["bob", "eve"],
    title: "Order shipped",
    message: "On its way",
    data: { action_url: "https://example.com" },
  });
  await service.inbox("eve").markRead(notification.id);
  await service.create({ channels: ["sms"], to: ["+4911", "+4912"], title: "Your code", message: "1234" });
  await service.runDue();
});

afterEach(() => stage.end());

async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector("h1") !== null && document.querySelector(".skeleton") === null);
  await page.getByText("Live", { exact: true }).last().waitFor();
}

/** The accessible name of the focused element. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    const label = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement ? element.labels?.[0]?.textContent : null;
    return (element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "").trim();
  });
}

/** Presses Tab until an element with that name has the focus. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    if (typeof name === "string" ? at === name : name.test(at)) {
      return;
    }
  }
  throw new Error(`Nothing called ${name} can be reached by Tab.`);
}

describe("with only the keyboard", () => {
  test("the first stop skips the navigation", async () => {
    const { page } = await stage.open();
    await settled(page);
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to content");
    await page.keyboard.press("Enter");
    await tabTo(page, "User");
  });

  test("a person creates a notification and marks it as read, and the focus is never lost", async () => {
    const { page } = await stage.open("?view=inbox&user=ann");
    await settled(page);
    await tabTo(page, "To user");
    expect(await page.evaluate(() => (document.activeElement as HTMLInputElement).value)).toBe("ann");
    await tabTo(page, "Message");
    await page.keyboard.type("By keyboard");
    await tabTo(page, "Create");
    await page.keyboard.press("Enter");
    await page.getByRole("listitem").filter({ hasText: "By keyboard" }).waitFor();
    await vi.waitFor(async () => expect(await focused(page)).toBe("Message"));
    await page.keyboard.type("And another");
    await tabTo(page, "Create");
    await page.keyboard.press("Space");
    await page.getByRole("listitem").filter({ hasText: "And another" }).waitFor();
    await page.getByRole("heading", { name: "Inbox" }).focus();
    await tabTo(page, "Mark as read: And another");
    await page.keyboard.press("Enter");
    await vi.waitFor(async () => expect(await focused(page)).toBe("Mark as read: By keyboard"));
    expect(await page.getByRole("status").last().textContent()).toBe("Marked as read for ann.");
    await page.keyboard.press("Enter");
    await vi.waitFor(async () => expect(await page.getByTestId("unread").textContent()).toBe("0"));
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("UL");
  });

  test("a person searches for a failed send, opens it and retries it", async () => {
    const { page } = await stage.open();
    await settled(page);
    await tabTo(page, "Search");
    await page.keyboard.press("Enter");
    await vi.waitFor(async () => expect(await focused(page)).toBe("Search"));
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
    await tabTo(page, "Channel");
    await page.keyboard.type("sms");
    await page.keyboard.press("Enter");
    await page.getByText("1 notification match").waitFor();
    await tabTo(page, "Your code");
    await page.keyboard.press("Enter");
    await vi.waitFor(async () => expect(await focused(page)).toBe("Your code"));
    stage.channel.isBroken = false;
    await tabTo(page, "Retry");
    await page.keyboard.press("Enter");
    await page.getByText("Retry asked for by dashboard").waitFor();
    // The button is gone by now.
    await vi.waitFor(async () => expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1"));
  });

  test("a dialog keeps the focus, Escape closes it, and the focus returns", async () => {
    const { page } = await stage.open("?view=search");
    await settled(page);
    await tabTo(page, "Retry what failed…");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByTestId("matched").waitFor();
    for (let presses = 0; presses < 5; presses += 1) {
      await page.keyboard.press("Tab");
      expect(
        await page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest("dialog") !== null),
      ).toBe(true);
    }
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await focused(page)).toBe("Retry what failed…");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByTestId("matched").waitFor();
    await tabTo(page, "Try 1 again");
    await page.keyboard.press("Enter");
    await page.getByTestId("retried").waitFor();
    await vi.waitFor(async () => expect(await focused(page)).toBe("Close"));
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await focused(page)).toBe("Retry what failed…");
  });

  test("filters keep the focus while in use, and a button that disappears passes the focus on", async () => {
    await stage.service().create({ to: "eve", type: "note", message: "a note" });
    const { page } = await stage.open("?view=search");
    await settled(page);
    await tabTo(page, "Type");
    await page.keyboard.type("note");
    await page.keyboard.press("Enter");
    await page.getByText("1 notification match").waitFor();
    expect(await focused(page)).toBe("Type");
    await tabTo(page, "Clear");
    await page.keyboard.press("Enter");
    await page.getByTestId("count").getByText("3 notifications").waitFor();
    expect(await focused(page)).toBe("Recipient");
    expect(await page.getByLabel("Type").inputValue()).toBe("");
    await page.goBack();
    await page.getByText("1 notification match").waitFor();
    expect(await page.getByLabel("Type").inputValue()).toBe("note");

    await page.goto(stage.url());
    await settled(page);
    await tabTo(page, "User");
    await page.keyboard.type("bob");
    await page.keyboard.press("Enter");
    await page.getByText("of 1", { exact: true }).waitFor();
    expect(await focused(page)).toBe("User");
    expect(await page.getByLabel("To user").inputValue()).toBe("bob");
    await tabTo(page, "Show");
    await page.keyboard.press("Space");
    expect(await focused(page)).toBe("Show");
    await tabTo(page, "All users");
    await page.keyboard.press("Enter");
    await page.getByText("of the newest 100").waitFor();
    expect(await focused(page)).toBe("User");
    expect(await page.getByLabel("User", { exact: true }).inputValue()).toBe("");
  });

  test("a repeated announcement is announced again", async () => {
    await stage.service().create({ to: "ann", message: "one" });
    await stage.service().create({ to: "ann", message: "two" });
    const { page } = await stage.open("?view=inbox&user=ann");
    await settled(page);
    await page.evaluate(() => {
      const said: string[] = [];
      Object.assign(window, { said });
      const region = [...document.querySelectorAll('[aria-live="polite"]')].at(-1);
      new MutationObserver(() => void said.push(region?.textContent ?? "")).observe(region as Node, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
    for (const left of ["1", "0"]) {
      await page
        .getByRole("button", { name: /^Mark as read/ })
        .first()
        .click();
      await vi.waitFor(async () => expect(await page.getByTestId("unread").textContent()).toBe(left));
    }
    const said = await page.evaluate(() => (window as unknown as { said: string[] }).said);
    expect(said).toEqual(["Marked as read for ann.", "Marked as read for ann."]);
  });

  test("arrow keys choose ranges, and the tail can be paused", async () => {
    const { page } = await stage.open("?view=health");
    await settled(page);
    await tabTo(page, "1 hour");
    await page.keyboard.press("ArrowRight");
    await page.getByText("Attempts per half hour").waitFor();
    await vi.waitFor(async () => expect(await focused(page)).toBe("24 hours"));
    await page.getByRole("link", { name: "Live" }).focus();
    await page.keyboard.press("Enter");
    await vi.waitFor(async () => expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1"));
    await tabTo(page, "Pause");
    await page.keyboard.press("Space");
    await vi.waitFor(async () => expect(await focused(page)).toBe("Resume"));
  });
});

describe("what reaches a user", () => {
  const types = defineTypes({
    comment: { label: "New comment", category: "social", channels: ["inbox", "sms"] },
    invoice: { required: ["sms"], channels: { inbox: true, sms: true } },
  });

  beforeEach(async () => {
    await stage.end();
    stage = await setStage(browser, { framework: "express", prefix: "/admin", types });
    await stage.service().preferences.set("+4911", { category: "social", channel: "sms" }, "off");
    await stage.service().preferences.setSettings("+4911", { timeZone: "Europe/Berlin", quietHours: { from: "22:00", to: "22:01" } });
  });

  const user = "?view=inbox&user=%2B4911";

  const cellsOf = (rows: Locator) =>
    rows.evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent).join(" | ")));

  test.each([
    ["a wide screen", { width: 1280, height: 900 }, false],
    ["a narrow screen", { width: 360, height: 700 }, true],
  ])("axe finds nothing serious in the page of a user on %s", async (_, viewport, coloursSeen) => {
    const { page, problems } = await stage.open(`${user}&explain=comment`, { viewport });
    await settled(page);
    await page.getByTestId("preferences").waitFor();
    for (const summary of await page.locator("summary").all()) {
      await summary.click();
    }
    expect(await seriousProblems(page, { coloursSeen })).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    expect(problems).toEqual([]);
  });

  test("is explained rule by rule for a type that a person chooses with the keyboard, beside what the user prefers", async () => {
    const { page } = await stage.open(user);
    await settled(page);
    const rows = page.getByTestId("preferences").getByRole("row");
    await vi.waitFor(async () =>
      expect(await cellsOf(rows)).toEqual([
        "Type | Channel | Value | From",
        "New comment | inbox | on | type (fixed)",
        "New comment | sms | off | user category sms",
        "Invoice | inbox | on | type (fixed)",
        "Invoice | sms | on | required (fixed)",
      ]),
    );
    await page.getByText("22:00 to 22:01").waitFor();
    await tabTo(page, /A notification of the type/);
    await page.keyboard.press("Home");
    await tabTo(page, "Explain");
    await page.keyboard.press("Enter");
    const explanation = page.getByTestId("explanation");
    await explanation.getByText("it is switched off").first().waitFor();
    expect(await focused(page)).toBe("Explain");
    expect(await explanation.getByRole("heading").allTextContents()).toEqual(["inbox", "sms"]);
    await tabTo(page, "The rules that were asked over sms");
    await page.keyboard.press("Enter");
    const rules = explanation.getByRole("row").filter({ hasText: /^preference/ });
    expect((await cellsOf(rules)).at(-1)).toBe("preference | Skipped: it is switched off · decided by user category sms");
    await page.getByLabel("A notification of the type").selectOption("invoice");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.waitForURL(/explain=invoice/);
    await explanation.getByText("Goes out").nth(1).waitFor();
    expect(await explanation.getByText("it is switched off").count()).toBe(0);
  });

  test("a timeline says why something was skipped, and whose decision that was", async () => {
    const { notification } = await stage.service().create({ to: "+4911", type: "comment", title: "Hello", message: "World" } as never);
    const { page } = await stage.open(`?view=notification&id=${notification.id}`);
    await settled(page);
    const step = page.getByRole("listitem").filter({ hasText: "Sms to +4911: skipped" });
    expect(await step.textContent()).toMatch(/it is switched off[\s\S]*user category sms/);
  });
});

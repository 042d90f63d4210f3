import type { Page } from "playwright-core";
import { describe, expect, test, vi } from "vitest";
import type { InboxStage, OpenPage } from "../e2e/stage.ts";

/** The name of the element with the focus: its label, or its text. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) {
      element = element.shadowRoot.activeElement;
    }
    const title = element?.matches("article") ? element.querySelector("[id$=-title]")?.textContent : null;
    const label = element?.getAttribute("role") === "dialog" ? "dialog" : element?.getAttribute("aria-label");
    return (title ?? label ?? element?.textContent ?? "").trim();
  });
}

/** Waits until an element of this name has the focus. Pages render what a key does a moment later. */
async function hasFocus(page: Page, name: string): Promise<void> {
  await vi.waitFor(async () => expect(await focused(page)).toContain(name));
}

const titles = (page: Page) => page.locator(".belfry-item-title bdi").allTextContents();

/** Presses keys one after the other. */
async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    await page.keyboard.press(key);
  }
}

/** Tests what the keyboard does, after the patterns of ARIA. @param search of pages without React */
export function keyboardTests(stageOf: () => InboxStage, search = ""): void {
  let users = 0;

  /** Opens a page of a user who has these items, the last one newest, with the bell in focus. */
  async function open(items: readonly object[], more = "&locale=en"): Promise<OpenPage & { readonly user: string }> {
    const { service, open: openPage } = stageOf();
    users += 1;
    const user = `keyboard-${users}`;
    for (const item of items) {
      await service.create({ to: user, type: "note", ...item } as Parameters<typeof service.create>[0]);
    }
    const opened = await openPage(`?user=${user}&router${search}${more}`);
    await vi.waitFor(async () => expect(await opened.page.locator(".belfry-badge").textContent()).toBe(String(items.length)));
    await opened.page.locator(".belfry-bell").focus();
    return { ...opened, user };
  }

  describe("by the keyboard", () => {
    test("the bell opens a dialog with the focus inside, which Escape and the button to close give back", async () => {
      const { page, problems } = await open([{ title: "Only" }]);
      await hasFocus(page, "Notifications, 1 unread");
      await press(page, "Enter");
      await page.getByRole("dialog", { name: "Notifications" }).waitFor();
      await hasFocus(page, "dialog");
      await press(page, "Escape");
      await page.getByRole("dialog").waitFor({ state: "hidden" });
      await hasFocus(page, "Notifications");
      await press(page, "Space");
      await page.getByRole("button", { name: "Close" }).focus();
      await press(page, "Enter");
      await page.getByRole("dialog").waitFor({ state: "hidden" });
      await hasFocus(page, "Notifications");
      expect(problems).toEqual([]);
    });

    test("tabs are one stop, and arrows, Home and End choose, the other way round from right to left", async () => {
      const { page } = await open([{ title: "Only" }]);
      await press(page, "Enter");
      await page.getByRole("tab", { name: "All" }).focus();
      await press(page, "ArrowRight");
      await page.getByRole("tab", { selected: true, name: "Unread" }).waitFor();
      await press(page, "End");
      await hasFocus(page, "Archived");
      await press(page, "ArrowRight");
      await hasFocus(page, "All");
      await press(page, "ArrowLeft");
      await hasFocus(page, "Archived");
      await press(page, "Home");
      await page.getByRole("tab", { selected: true, name: "All" }).waitFor();
      await page.locator("article").waitFor();
      await press(page, "Tab");
      await hasFocus(page, "Only");

      const { page: arabic } = await open([{ title: "Only" }], "&locale=ar");
      await arabic.locator(".belfry[dir=rtl]").waitFor();
      await press(arabic, "Enter");
      await arabic.getByRole("tab").first().focus();
      await press(arabic, "ArrowLeft");
      await arabic.locator("[role=tab]:nth-child(2)[aria-selected=true]").waitFor();
    });

    test("Page Down and Page Up lead through the feed, Control with Home and End out of it, and Enter follows an item", async () => {
      const { page } = await open([{ title: "First" }, { title: "Second", url: "/posts/2" }, { title: "Third" }]);
      await press(page, "Enter");
      const articles = page.locator("article");
      await articles.nth(2).waitFor();
      await articles.first().focus();
      await press(page, "PageUp");
      await hasFocus(page, "Third");
      // From inside of an article, too.
      await press(page, "Tab", "PageDown");
      await hasFocus(page, "Second");
      const article = page.locator("article:focus");
      expect([await article.getAttribute("aria-posinset"), await article.getAttribute("aria-setsize")]).toEqual(["2", "3"]);
      await press(page, "PageDown", "PageDown");
      await hasFocus(page, "First");
      await press(page, "Control+Home");
      await hasFocus(page, "All");
      await press(page, "Tab", "PageDown", "Enter");
      await vi.waitFor(async () => expect(await page.evaluate("visited")).toEqual(["/posts/2"]));
      await page.getByRole("dialog").waitFor({ state: "hidden" });
    });

    test("a menu opens with its first or last line in focus, leads into an inner one and back, and Escape and Tab leave it", async () => {
      const { page, user } = await open([{ title: "First" }, { title: "Second" }, { title: "Third" }]);
      await press(page, "Enter");
      await page.locator("article").nth(2).waitFor();
      const menu = page.locator("article").first().getByRole("button", { name: "More actions" });
      await menu.focus();
      await press(page, "Enter");
      await hasFocus(page, "Mark as read");
      await press(page, "End");
      await hasFocus(page, "Delete");
      await press(page, "ArrowDown");
      await hasFocus(page, "Mark as read");
      await press(page, "ArrowDown", "ArrowDown", "ArrowRight");
      await hasFocus(page, "In an hour");
      await press(page, "ArrowLeft");
      await hasFocus(page, "Snooze");
      await press(page, "Escape");
      await hasFocus(page, "More actions");
      await vi.waitFor(async () => expect(await menu.getAttribute("aria-expanded")).toBe("false"));
      await press(page, "ArrowUp");
      await hasFocus(page, "Delete");
      await press(page, "Tab");
      await page.getByRole("menuitem").first().waitFor({ state: "detached" });
      await menu.focus();
      await press(page, "ArrowDown");
      await hasFocus(page, "Mark as read");
      await press(page, "ArrowUp", "ArrowUp");
      await hasFocus(page, "Archive");
      // The focus goes to the item in the place of the one that leaves.
      await press(page, "Enter");
      await vi.waitFor(async () => expect(await titles(page)).toEqual(["Second", "First"]));
      await hasFocus(page, "Second");
      const archived = async () => (await stageOf().service.inbox(user).list({ archived: true })).items.map(({ title }) => title);
      await vi.waitFor(async () => expect(await archived()).toEqual(["Third"]));
    });

    test("preferences take the focus, switch by Space, and give the focus back", async () => {
      const { page, user } = await open([{ title: "Only" }]);
      await press(page, "Enter");
      await page.getByRole("button", { name: "Preferences" }).focus();
      await press(page, "Enter");
      await hasFocus(page, "Preferences");
      const quiet = page.getByRole("switch", { name: "Quiet hours" });
      await quiet.focus();
      await press(page, "Space");
      await vi.waitFor(async () => expect((await stageOf().service.preferences.list(user)).settings.quietHours).toHaveLength(1));
      await page.getByRole("switch", { name: "Quiet hours", checked: true }).waitFor();
      await page.getByRole("button", { name: "Back" }).focus();
      await press(page, "Enter");
      await page.locator("article").waitFor();
      await hasFocus(page, "Preferences");
      await press(page, "Escape");
      await page.getByRole("dialog").waitFor({ state: "hidden" });
    });
  });
}

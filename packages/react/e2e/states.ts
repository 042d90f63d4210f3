import type { NotificationService } from "@belfry/core";
import type { Page } from "playwright-core";

/** Somebody with a long list. */
export const READER = "reader";

/** A state of the inbox, and how it is reached. */
interface State {
  readonly name: string;
  /** Of the page. */
  readonly search: string;
  /** What is waited for once the inbox is open. @default an item */
  readonly shown?: string;
  readonly more?: (opened: { readonly page: Page; readonly service: NotificationService }) => Promise<void>;
  /** What the browser says of it. */
  readonly complaint?: RegExp;
}

async function openMenu(page: Page): Promise<void> {
  await page.locator("article").nth(2).hover();
  await page.locator("article").nth(2).locator("[aria-haspopup=menu]").click();
  await page.getByRole("menuitem").first().waitFor();
}

/** Opens the tab of archived items. */
async function openArchive(page: Page, shown: string): Promise<void> {
  await page.getByRole("tab").last().click();
  await page.locator(shown).first().waitFor();
}

const LISTS = /\/inbox\?/;
const UNREACHABLE = /Failed to load resource|WebSocket connection|net::ERR/;

/** Every state that a reader can see. */
export const STATES: readonly State[] = [
  { name: "inbox", search: "" },
  { name: "page", search: "layout=page" },
  { name: "menu", search: "", more: ({ page }) => openMenu(page) },
  {
    name: "snooze",
    search: "",
    async more({ page }) {
      await openMenu(page);
      await page.locator("[role=menuitem][aria-haspopup=menu]").click();
      await page.locator(".belfry-hint").first().waitFor();
    },
  },
  {
    name: "group",
    search: "",
    async more({ page }) {
      await page.locator(".belfry-fold").first().click();
      await page.locator(".belfry-list .belfry-scroll").evaluate((list) => list.scrollTo({ top: list.scrollHeight }));
      await page.locator("article[data-member=true]").first().waitFor();
    },
  },
  {
    name: "pill",
    search: `user=${READER}`,
    async more({ page, service }) {
      await page.locator(".belfry-list .belfry-scroll").evaluate((list) => list.scrollTo({ top: 300 }));
      await page.waitForFunction("client.getSnapshot().connection === 'open'");
      await service.create({ to: READER, type: "build", title: "One more build passed" });
      await page.locator(".belfry-pill").waitFor();
    },
  },
  {
    name: "preferences",
    search: "",
    async more({ page }) {
      await page.locator(".belfry-header [data-icon=settings]").click();
      await page.getByRole("switch").first().waitFor();
    },
  },
  {
    name: "preferences-failed",
    search: "",
    async more({ page }) {
      await page.route("**/assets/preference-panel-*", (route) => route.abort());
      await page.locator(".belfry-header [data-icon=settings]").click();
      await page.locator("[data-bad]").waitFor();
    },
    complaint: UNREACHABLE,
  },
  { name: "empty", search: "user=nobody", shown: ".belfry-state" },
  {
    name: "loading",
    search: "",
    async more({ page }) {
      await page.route(LISTS, () => undefined);
      await openArchive(page, ".belfry-skeleton");
    },
  },
  {
    name: "failed",
    search: "",
    async more({ page }) {
      await page.route(LISTS, (route) => route.fulfill({ status: 500, body: "" }));
      await openArchive(page, "[data-bad]");
    },
    complaint: UNREACHABLE,
  },
  {
    name: "offline",
    search: "",
    async more({ page }) {
      await page.waitForFunction("client.getSnapshot().connection === 'open'");
      await page.context().setOffline(true);
      await page.locator(".belfry-offline").waitFor();
    },
    complaint: UNREACHABLE,
  },
];

import { Features, transform } from "lightningcss";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startBrowser } from "../../dashboard/e2e/browser.ts";
import { bundledStyles } from "../scripts/bundled-styles.ts";
import { type InboxStage, setInboxStage } from "./stage.ts";

const version = (major: number, minor = 0) => (major * 256 + minor) * 256;
/** The browsers that Next compiles styles for unless a host says otherwise. */
const targets = { chrome: version(111), edge: version(111), firefox: version(111), safari: version(16, 4) };

const LIGHT = { panel: "rgb(255, 255, 255)", avatar: "rgb(250, 225, 235)" };
const DARK = { panel: "rgb(23, 25, 31)", avatar: "rgb(81, 42, 58)" };

let browser: Browser;
let stage: InboxStage;
let styles: string;

beforeAll(async () => {
  [browser, styles] = await Promise.all([startBrowser(), bundledStyles()]);
  stage = await setInboxStage(browser);
  await stage.service.create({ to: "ann", actor: "Bob", title: "Lunch?" });
});

afterEach(() => stage.closePages());

afterAll(async () => {
  await stage.end();
  await browser.close();
});

/** Opens an inbox whose styles, and the page's own in `css`, lightningcss made for older browsers. The reader prefers dark pages. */
async function opened(css: string, include = 0): Promise<Page> {
  const lowered = (text: string) =>
    transform({ filename: "styles.css", code: Buffer.from(text), targets, include, minify: true }).code.toString();
  const { page } = await stage.open("?user=ann", { colorScheme: "dark" }, async (page) => {
    await page.route("**/inbox.css", (route) => route.fulfill({ contentType: "text/css", body: lowered(styles) }));
    await page.route("**/page.css", (route) => route.fulfill({ contentType: "text/css", body: lowered(css) }));
  });
  await page.evaluate(() => document.documentElement.removeAttribute("style"));
  await page.locator(".belfry-bell").click();
  await page.locator("article").waitFor();
  return page;
}

async function colours(page: Page): Promise<typeof LIGHT> {
  const background = (selector: string) => page.locator(selector).evaluate((element) => getComputedStyle(element).backgroundColor);
  return { panel: await background(".belfry-panel"), avatar: await background(".belfry-avatar") };
}

// Before 1.30, lightningcss replaced `light-dark()` everywhere.
test.each([
  ["now", 0],
  ["before 1.30", Features.LightDark],
])(
  "lowered as lightningcss does %s, the inbox is light on a page without a scheme, and else follows the reader and the page",
  async (_, include) => {
    expect(await colours(await opened("", include))).toEqual(LIGHT);
    const page = await opened(":root { color-scheme: light dark } .light { color-scheme: light }", include);
    expect(await colours(page)).toEqual(DARK);
    await page.emulateMedia({ colorScheme: "light" });
    expect(await colours(page)).toEqual(LIGHT);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.evaluate(() => document.body.classList.add("light"));
    expect(await colours(page)).toEqual(LIGHT);
  },
);

test("a scheme that a script sets is followed in lowered styles", async () => {
  const page = await opened("");
  await page.evaluate(() => document.documentElement.style.setProperty("color-scheme", "dark"));
  expect(await colours(page)).toEqual(DARK);
});

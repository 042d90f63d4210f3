import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineTypes } from "@belfry/core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { axeFindings } from "../../dashboard/e2e/axe.ts";
import { startBrowser } from "../../dashboard/e2e/browser.ts";
import { play, storyClock } from "../test/story.ts";
import { type InboxStage, setInboxStage } from "./stage.ts";
import { READER, STATES } from "./states.ts";

const { BELFRY_LONG, BELFRY_SCREENSHOTS, UPDATE_SCREENSHOTS } = process.env;
/** The documents' pictures are taken anew only on demand: every run takes slightly different ones. */
const DOCUMENTS = fileURLToPath(new URL("../../../docs/screenshots", import.meta.url));
const DIRECTORY = BELFRY_SCREENSHOTS ?? join(tmpdir(), "belfry-screenshots");
/** Nobody looks at the pictures of the short form, and the tests do not. */
const ARE_WANTED = Boolean(BELFRY_LONG || BELFRY_SCREENSHOTS || UPDATE_SCREENSHOTS);
/** The pictures that the documents have. */
const DOCUMENTED = new Set(["inbox", "menu", "preferences", "phone", "arabic", "empty"]);

const types = defineTypes({
  comment: { label: "New comment", category: "social", channels: { inbox: true, email: true } },
  mention: { label: "Mention", category: "social", channels: { inbox: { optional: true }, email: true } },
  invoice: { label: "Invoice", category: "billing", required: ["inbox", "email"], channels: { inbox: true, email: true } },
  build: { label: "Build", channels: { inbox: true, email: true } },
});

/** What an inbox is looked at with. */
interface Look {
  readonly name: string;
  readonly search: string;
  readonly options: BrowserContextOptions;
  /** The element that has to be there before it is complete. */
  readonly ready: string;
}

const DESKTOP: Look = { name: "", search: "", options: { viewport: { width: 900, height: 760 } }, ready: ".belfry" };
const PHONE: Look = { ...DESKTOP, name: "phone", options: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true } };
const ARABIC: Look = { ...DESKTOP, name: "arabic", search: "locale=ar", ready: ".belfry[dir=rtl]" };
const FORCED: Look = { ...DESKTOP, name: "forced", options: { ...DESKTOP.options, forcedColors: "active" } };

/** The short form looks at each state in one way, and at the first one in all ways. */
const CASES = [DESKTOP, PHONE, ARABIC, FORCED].flatMap((look) =>
  STATES.filter((_, index) => BELFRY_LONG || look === DESKTOP || index === 0).map((state) => ({ look, state })),
);

async function takePicture(page: Page, path: string): Promise<void> {
  if (ARE_WANTED) {
    await page.screenshot({ path, animations: "disabled" });
  }
}

let browser: Browser;
let stage: InboxStage;

beforeAll(async () => {
  browser = await startBrowser();
  await mkdir(DIRECTORY, { recursive: true });
  const directory = async (ids: readonly string[]) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));
  stage = await setInboxStage(browser, { clock: storyClock, types, directory });
  await play(stage.service, "ann");
  for (let count = 1; count <= 20; count += 1) {
    await stage.service.create({ to: READER, type: "build", title: `Build ${count} passed` });
  }
});

afterEach(() => stage.closePages());

afterAll(async () => {
  await stage.end();
  await browser.close();
});

describe("a picture in light and in dark where it is wanted, without a finding of axe, and with nothing that scrolls sideways", () => {
  test.each(CASES)("$state.name $look.name", async ({ look, state }) => {
    const { page, problems } = await stage.open(`?${look.search}&${state.search}`, look.options);
    await page.locator(look.ready).waitFor();
    if (!state.search.includes("layout=page")) {
      await page.locator(".belfry-bell").click();
    }
    await page
      .locator(state.shown ?? "article")
      .first()
      .waitFor();
    await state.more?.({ page, service: stage.service });
    const name = look.name === "" ? state.name : [look.name, state.name].join("-").replace("-inbox", "");
    const directory = UPDATE_SCREENSHOTS && DOCUMENTED.has(name) ? DOCUMENTS : DIRECTORY;
    for (const scheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.evaluate((given) => document.documentElement.style.setProperty("color-scheme", given), scheme);
      await takePicture(page, join(directory, `react-${name}-${scheme}.png`));
      const findings = (await axeFindings(page, scheme === "dark" ? "colours" : null)).map(({ text }) => text);
      // Forced colours are the browser's own, which axe does not see.
      expect(findings.filter((text) => look !== FORCED || !text.startsWith("color-contrast"))).toEqual([]);
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    expect(problems.filter((problem) => !state.complaint?.test(problem))).toEqual([]);
  });
});

import type { Page } from "playwright-core";
import { axeFindings } from "./axe.ts";

/** How a page is shown: the colours that its own style chooses, and those that a reader's system forces. */
const MEDIA = [
  ["light", { colorScheme: "light", forcedColors: "none" }],
  ["dark", { colorScheme: "dark", forcedColors: "none" }],
  ["forced colours", { colorScheme: "light", forcedColors: "active" }],
] as const;

/** The short form leaves forced colours out, which are the browser's own, and other colours at widths that have those of another one. */
function mediaOf(coloursSeen: boolean): readonly (typeof MEDIA)[number][] {
  return process.env.BELFRY_LONG ? MEDIA : MEDIA.slice(0, coloursSeen ? 1 : 2);
}

/**
 * The problems that axe finds serious or critical, in both colour schemes and with forced colours, as `scheme: rule: element`.
 *
 * @param coloursSeen whether the same page was looked at already, at another width: the short form then looks at one scheme
 */
export async function seriousProblems(page: Page, { coloursSeen = false } = {}): Promise<string[]> {
  const problems: string[] = [];
  for (const [scheme, media] of mediaOf(coloursSeen)) {
    await page.emulateMedia(media);
    for (const { impact, text } of await axeFindings(page, scheme === "light" ? null : "colours")) {
      if (impact === "serious" || impact === "critical") {
        problems.push(`${scheme}: ${text}`);
      }
    }
  }
  await page.emulateMedia({ colorScheme: "light", forcedColors: "none" });
  return problems;
}

import axe from "axe-core";
import type { Page } from "playwright-core";

/** Something that axe finds, as `rule: element`, and how bad it is. */
interface Finding {
  readonly impact: string;
  readonly text: string;
}

/** The rules whose answer depends on colours: the same elements in another colour scheme differ in nothing else. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/** What axe finds in a page as it is. @param only the rules to look at @default all */
export async function axeFindings(page: Page, only: "colours" | null = null): Promise<readonly Finding[]> {
  if (!(await page.evaluate(() => "axe" in window))) {
    await page.evaluate(axe.source);
  }
  const rules = only === null ? {} : { runOnly: { type: "rule" as const, values: OF_COLOURS } };
  const { violations } = await page.evaluate(
    // Only violations are of interest, and none of them needs what axe would load beforehand: the style sheets once more.
    (chosen) => (window as unknown as { axe: typeof axe }).axe.run({ ...chosen, preload: false, resultTypes: ["violations"] }),
    rules,
  );
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, failureSummary }) => ({ impact: impact ?? "minor", text: `${id}: ${html} ${failureSummary}` })),
  );
}

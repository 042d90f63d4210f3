import axe from "axe-core";
import type { Page } from "playwright-core";

/** Something that axe finds, as `rule: element`, and how bad it is. */
interface Finding {
  readonly impact: string;
  readonly text: string;
}

/** What axe finds in a page as it is. */
export async function axeFindings(page: Page): Promise<readonly Finding[]> {
  if (!(await page.evaluate(() => "axe" in window))) {
    await page.evaluate(axe.source);
  }
  const { violations } = await page.evaluate(() =>
    // Only violations are of interest, and none of them needs what axe would load beforehand: the style sheets once more.
    (window as unknown as { axe: typeof axe }).axe.run({ preload: false, resultTypes: ["violations"] }),
  );
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, failureSummary }) => ({ impact: impact ?? "minor", text: `${id}: ${html} ${failureSummary}` })),
  );
}

/** The problems that axe finds serious or critical in both colour schemes, as `scheme: rule: element`. */
export async function seriousProblems(page: Page): Promise<string[]> {
  const problems: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const { impact, text } of await axeFindings(page)) {
      if (impact === "serious" || impact === "critical") {
        problems.push(`${colorScheme}: ${text}`);
      }
    }
  }
  return problems;
}

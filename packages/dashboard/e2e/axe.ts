import axe from "axe-core";
import type { Page } from "playwright-core";

/** The problems that axe finds serious or critical in both colour schemes, as `scheme: rule: element`. */
export async function seriousProblems(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) {
    await page.evaluate(axe.source);
  }
  const problems: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() =>
      // Only violations are of interest, and no rule as grave needs what axe would load beforehand: the style sheets once more.
      (window as unknown as { axe: typeof axe }).axe.run({ preload: false, resultTypes: ["violations"] }),
    );
    for (const { id, impact, nodes } of violations) {
      if (impact === "serious" || impact === "critical") {
        problems.push(...nodes.map(({ html, failureSummary }) => `${colorScheme}: ${id}: ${html} ${failureSummary}`));
      }
    }
  }
  return problems;
}

import type { Page } from "playwright-core";

/**
 * Does something while a tab is frozen, as a browser freezes one that nobody looks at: none of its code runs, and it keeps its locks. The
 * headless shell shows every page, and freezes none that is on show; the pause of a debugger stops all tasks of a page as well.
 */
export async function frozen(tab: Page, work: () => Promise<void>): Promise<void> {
  const session = await tab.context().newCDPSession(tab);
  await session.send("Debugger.enable");
  await session.send("Debugger.pause");
  await work();
  await session.send("Debugger.disable");
  await session.detach();
}

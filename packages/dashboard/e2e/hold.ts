import type { Page } from "playwright-core";

/** Holds matching requests back until the returned function lets them go. */
export async function hold(
  page: Page,
  url: string,
  isWanted: (url: URL) => boolean = () => true,
): Promise<{ held(): number; release(): void }> {
  let count = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  await page.route(url, async (route) => {
    if (isWanted(new URL(route.request().url()))) {
      count += 1;
      await promise;
    }
    // The page may have aborted the request meanwhile.
    await route.continue().catch(() => {});
  });
  return { held: () => count, release: resolve };
}

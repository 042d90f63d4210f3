/** Bundles the page before the tests: the page may have changed since it was bundled at install. */
export async function setup(): Promise<void> {
  await import("../scripts/build-assets.ts");
}

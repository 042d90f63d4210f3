/** Bundles the page before any test asks for it: installing did, but the page may have changed since. */
export async function setup(): Promise<void> {
  await import("../scripts/build-assets.ts");
}

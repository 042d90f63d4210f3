import { readFileSync } from "node:fs";

/** The version that a package's manifest states. @param file its package.json */
export function versionIn(file: string | URL): string {
  const manifest: unknown = JSON.parse(readFileSync(file, "utf8"));
  const isStated = typeof manifest === "object" && manifest !== null && "version" in manifest && typeof manifest.version === "string";
  return isStated ? String(manifest.version) : "unknown";
}

/** The version of this package; it is unknown where somebody put this file elsewhere, as bundlers do. */
export function packageVersion(): string {
  try {
    return versionIn(new URL("../package.json", import.meta.url));
  } catch {
    return "unknown";
  }
}

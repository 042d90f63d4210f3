import { findPackageJSON } from "node:module";
import { packageVersion, versionIn } from "../package-version.ts";

const PACKAGES = ["@belfry/core", "@belfry/storage-sqlite", "@belfry/storage-postgres"];

/** The versions of this package and of those beside it, as far as they are installed. */
export function installedVersions(): readonly (readonly [name: string, version: string])[] {
  const others = PACKAGES.flatMap((name): (readonly [string, string])[] => {
    const file = manifestOf(name);
    return file === undefined ? [] : [[name, versionIn(file)]];
  });
  return [["@belfry/cli", packageVersion()], ...others];
}

function manifestOf(name: string): string | undefined {
  try {
    return findPackageJSON(name, import.meta.url);
  } catch {
    // It is not installed, which is fine for a database that is not used.
    return undefined;
  }
}

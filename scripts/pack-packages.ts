import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A package as `pnpm pack` makes it. */
export interface Tarball<Manifest> {
  /** Where it is in the workspace. */
  readonly directory: string;
  readonly tarball: string;
  /** As it is in the workspace: packing puts the versions in. */
  readonly manifest: Manifest;
}

/** Packs every package of the workspace `root` that is published into the directory `into`. They have to be built. */
export async function packPackages<Manifest extends { readonly name: string; readonly private?: boolean }>(
  root: string,
  into: string,
): Promise<Tarball<Manifest>[]> {
  const published: { readonly directory: string; readonly manifest: Manifest }[] = [];
  for (const folder of (await readdir(join(root, "packages"))).sort()) {
    const directory = join(root, "packages", folder);
    const manifest = JSON.parse(await readFile(join(directory, "package.json"), "utf8")) as Manifest;
    if (!manifest.private) {
      published.push({ directory, manifest });
    }
  }
  // pnpm packs all at once: it takes longer to start than to pack. What a package would run before was run by the build.
  const filters = published.flatMap(({ manifest }) => ["--filter", manifest.name]);
  await run("pnpm", [...filters, "--config.ignore-scripts=true", "pack", "--out", join(into, "%s.tgz")], { cwd: root });
  return published.map((each) => ({ ...each, tarball: join(into, `${each.manifest.name.replace("@", "").replace("/", "-")}.tgz`) }));
}

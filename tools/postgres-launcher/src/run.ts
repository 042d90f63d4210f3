import { execFile } from "node:child_process";
import { chown, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** PostgreSQL refuses to run as root; its programs then run as the user nobody. */
const NOBODY = 65_534;

/** The user for PostgreSQL's programs, if it is not the present one. */
export const serverUser: { readonly uid?: number; readonly gid?: number } = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** Gives a directory and everything in it to the user for PostgreSQL's programs. */
export async function ownedByServer(directory: string): Promise<void> {
  const { uid, gid } = serverUser;
  if (uid === undefined) {
    return;
  }
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const path of [directory, ...entries.map(({ parentPath, name }) => join(parentPath, name))]) {
    await chown(path, uid, gid ?? uid);
  }
}

/** Runs one of PostgreSQL's programs to its end, as a user that it accepts, and resolves with what it said. If it fails, this rejects with its output. */
export async function run(program: string, args: readonly string[], directory: string): Promise<string> {
  try {
    const { stdout } = await execute(program, [...args], {
      cwd: directory,
      ...serverUser,
      env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
    });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args[0]} failed: ${stdout}${stderr}`, { cause: error });
  }
}

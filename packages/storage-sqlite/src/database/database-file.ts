import { statSync } from "node:fs";
import type { Database } from "better-sqlite3";

/** Whether both connections are to the same database. One in memory is only ever the same as itself. */
export function isSameDatabase(left: Database, right: Database): boolean {
  if (left === right) {
    return true;
  }
  const file = mainFile(left);
  const other = mainFile(right);
  return file !== "" && other !== "" && (file === other || fileIdentity(file) === fileIdentity(other));
}

/** The absolute path of the file behind a connection; empty for a database in memory. */
export function mainFile(database: Database): string {
  const main = database.prepare<[], { file: string }>("SELECT file FROM pragma_database_list WHERE name = 'main'").get();
  return main?.file ?? "";
}

/** Two paths with links in them may lead to one file. */
function fileIdentity(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? path : `${stat.dev}:${stat.ino}`;
}

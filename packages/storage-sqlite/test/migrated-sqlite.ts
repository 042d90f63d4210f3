import Database from "better-sqlite3";
import { sqliteStorage } from "../src/index.ts";

let image: Promise<Buffer> | undefined;

/** The file of a database that has Belfry's tables already: a process migrates once, and copies the result. To migrate takes 50 ms. */
export function migratedImage(): Promise<Buffer> {
  image ??= makeImage();
  return image;
}

/** Opens a database in memory that has Belfry's tables already. */
export async function migratedSqlite(): Promise<Database.Database> {
  return new Database(await migratedImage());
}

async function makeImage(): Promise<Buffer> {
  const database = new Database(":memory:");
  const storage = sqliteStorage(database);
  await storage.open();
  await storage.close();
  const bytes = database.serialize();
  database.close();
  return bytes;
}

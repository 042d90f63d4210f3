import { promptsSuite } from "@belfry/testkit";
import Database from "better-sqlite3";
import { sqliteStorage } from "../src/index.ts";

promptsSuite(async () => {
  const database = new Database(":memory:");
  const storage = sqliteStorage(database);
  await storage.open();
  const number = async (sql: string) => database.prepare(sql).pluck().get() as number;
  return {
    storage,
    number,
    run: async (sql) => void database.exec(sql),
    bytes: async () =>
      (await number("SELECT page_count FROM pragma_page_count")) * (await number("SELECT page_size FROM pragma_page_size")),
    async dispose() {
      await storage.close();
      database.close();
    },
  };
});

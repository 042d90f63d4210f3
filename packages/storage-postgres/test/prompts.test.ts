import { promptsSuite } from "@belfry/testkit";
import { postgresStorage } from "../src/index.ts";
import { openPool, rowsOf, silent, useDatabase } from "./setup.ts";

const database = useDatabase();

promptsSuite(async () => {
  const pool = openPool(database.url, 4);
  const storage = postgresStorage(pool, { logger: silent });
  await storage.open();
  const number = async (sql: string) => Number((await rowsOf<{ n: string }>(pool, sql))[0]?.n);
  return {
    storage,
    number,
    run: async (sql) => void (await pool.query(sql)),
    bytes: () => number("SELECT pg_database_size(current_database()) AS n"),
    async dispose() {
      await storage.close();
      await pool.end();
    },
  };
});

import { NotificationService } from "@belfry/core";
import type { FreshDatabase } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import { httpSuite } from "@belfry/testkit";
import { afterAll } from "vitest";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";
import { fillTables, openPool, rowsOf } from "../../storage-postgres/test/setup.ts";
import { expressHarness } from "./harness.ts";

/**
 * A database and the host's connections to it. The suite's services have it one after another: making a database, and
 * planning every statement on new connections, takes longer than most of their tests.
 */
interface Place {
  readonly database: FreshDatabase;
  readonly host: ReturnType<typeof openPool>;
}

const places: Place[] = [];
const free: Place[] = [];

afterAll(async () => {
  await Promise.all(places.map(({ host }) => host.end()));
  await Promise.all(places.map(({ database }) => database.drop()));
});

async function newPlace(): Promise<Place> {
  const database = await migratedPostgres();
  const place = { database, host: openPool(database.url) };
  places.push(place);
  return place;
}

/** Deletes all rows: a TRUNCATE would have all statements planned anew. */
async function emptied(place: Place): Promise<Place> {
  const tables = await rowsOf<{ readonly name: string }>(
    place.host,
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'belfry_migrations'",
  );
  await fillTables(place.host, async (client) => {
    await client.query(tables.map(({ name }) => `DELETE FROM ${name}`).join("; "));
  });
  return place;
}

httpSuite(
  "Express over PostgreSQL",
  expressHarness(async (needs) => {
    const used = free.pop();
    const place = await (used === undefined ? newPlace() : emptied(used));
    // The suite moves its clock by hand.
    const storage = postgresStorage(place.host, { time: "service" });
    const close = storage.close.bind(storage);
    let isOpen = true;
    storage.close = async () => {
      await close();
      if (isOpen) {
        isOpen = false;
        free.push(place);
      }
    };
    return new NotificationService({ storage, ...needs });
  }),
);

import { lowestPrograms, startPostgres } from "@belfry/postgres-launcher";
import { afterAll } from "vitest";

const programs = lowestPrograms();

/** Whether there is a server of the lowest version that Belfry supports: then the databases of the tests that import this are on it. */
export const hasLowest = programs !== null;

if (programs !== null) {
  const server = await startPostgres({ programs });
  process.env.TEST_DATABASE_URL = server.url;
  afterAll(() => server.stop());
}

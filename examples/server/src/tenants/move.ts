import { moveTenant } from "@belfry/storage-postgres";
import pg from "pg";
import { pino } from "pino";
import { databasesOf } from "../process-config.ts";
import { TenantPlaces } from "./tenant-places.ts";

/** Moves a tenant to another of the databases in DATABASE_URLS: `node dist/move.js <tenant> <database>`. Run it again if it is interrupted. */
async function main([tenant = "", target = ""]: readonly string[]): Promise<void> {
  const databases = databasesOf(process.env.DATABASE_URLS);
  const url = databases.get(target);
  const [first] = databases;
  if (tenant === "" || url === undefined || first === undefined) {
    throw new Error(`Give a tenant and one of the databases in DATABASE_URLS: ${[...databases.keys()].join(", ")}.`);
  }
  const logger = pino({ serializers: { error: pino.stdSerializers.err } });
  const places = new TenantPlaces(new pg.Pool({ connectionString: first[1] }), logger);
  await places.start();
  const source = process.env.MOVE_FROM ?? places.of(tenant) ?? first[0];
  if (source === target) {
    // It was interrupted after its switch: the table says that it is there already.
    throw new Error(
      `The tenant ${JSON.stringify(tenant)} is at ${target}. To end a move that was interrupted, name where it came from: MOVE_FROM.`,
    );
  }
  const [from, to] = [databases.get(source), url].map((connectionString) => new pg.Pool({ connectionString })) as [pg.Pool, pg.Pool];
  try {
    const { rows, frozenMs } = await moveTenant({ tenant, from, to, logger, switchOver: () => places.set(tenant, target) });
    console.log(`Moved ${tenant} from ${source} to ${target}: ${rows} rows; it could not be written for at most ${frozenMs} ms.`);
  } finally {
    await Promise.all([places.stop(), from.end(), to.end()]);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : "The tenant could not be moved.");
  process.exitCode = 1;
});

/** Starts a server, prints its directory, and waits to be killed. */
import { dirname } from "node:path";
import { startPostgres } from "@belfry/postgres-launcher";
import pg from "pg";

const { url } = await startPostgres();
const client = new pg.Client({ connectionString: url });
await client.connect();
const { rows } = await client.query<{ data: string }>("SELECT current_setting('data_directory') AS data");
await client.end();
process.stdout.write(JSON.stringify({ url, directory: dirname(rows[0]?.data ?? "") }));
setInterval(() => {}, 60_000);

/**
 * A process that moves the tenant `acme` from the database FROM to the database TO, or takes that back with ABANDON set. It asks its parent to switch over with
 * `"switch"`, and goes on once the parent answers. With KILL_AT it kills itself when it sends so many statements: before the last of them, or, with KILL_LATE
 * set, once it is on its way. In the end it sends the number of its statements, or its error's code.
 */
import { once } from "node:events";
import { BelfryError } from "@belfry/core";
import { abandonMove, moveTenant } from "@belfry/storage-postgres";
import pg from "pg";

const { FROM, TO, KILL_AT, KILL_LATE, ABANDON } = process.env;
let statements = 0;

const die = () => process.kill(process.pid, "SIGKILL");

function openPool(connectionString: string | undefined): pg.Pool {
  const pool = new pg.Pool({ connectionString });
  pool.on("connect", (client) => {
    client.query = new Proxy(client.query, {
      apply(query, self, args) {
        statements += 1;
        const isLast = statements === Number(KILL_AT);
        if (isLast && KILL_LATE === undefined) {
          die();
        }
        const answer: unknown = Reflect.apply(query, self, args);
        if (isLast) {
          setImmediate(die);
        }
        return answer;
      },
    });
  });
  return pool;
}

const [from, to] = [openPool(FROM), openPool(TO)];
const options = { tenant: "acme", from, to };

async function switchOver(): Promise<void> {
  process.send?.("switch");
  await once(process, "message");
}

try {
  await (ABANDON === undefined ? moveTenant({ ...options, switchOver }) : abandonMove(options));
  process.send?.({ statements });
} catch (error) {
  process.send?.({ code: error instanceof BelfryError ? error.code : "none", message: String(error) });
}
await Promise.all([from.end(), to.end()]);
process.disconnect();

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { NewSend } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { Connection, type Session, snapshots } from "../src/database/connection.ts";
import { wrapError } from "../src/database/errors.ts";
import { statement } from "../src/database/statement.ts";
import { postgresStorage } from "../src/index.ts";
import { entry, openPool, silent, useCleanup, useDatabase } from "./setup.ts";

/** PostgreSQL's last words to a session that an administrator ends. */
function terminated(): Buffer {
  const fields = Buffer.from("SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0");
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** The end of what a server says when it is ready for queries, outside of a transaction. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

describe("a connection that is ended in the packet that makes it ready", () => {
  const cleanup = useCleanup();
  const database = useDatabase();

  /** A way to the database that, once armed, ends the next new connection as soon as it is ready. */
  async function trap() {
    const { hostname, port } = new URL(database.url);
    let isArmed = false;
    const sockets = new Set<Socket>();
    const server = createServer((host) => {
      const upstream = connect({ host: hostname, port: Number(port) });
      const isDoomed = isArmed;
      isArmed = false;
      sockets.add(host).add(upstream);
      host.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
      upstream.on("error", () => host.destroy()).on("close", () => host.end());
      host.on("data", (data) => upstream.write(data));
      upstream.on("data", (data) => {
        if (isDoomed && data.subarray(-READY.length).equals(READY)) {
          host.end(Buffer.concat([data, terminated()]));
        } else {
          host.write(data);
        }
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanup(() => {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
    });
    const url = new URL(database.url);
    url.port = String((server.address() as AddressInfo).port);
    return {
      url: url.href,
      arm() {
        isArmed = true;
      },
    };
  }

  test("fails the call that got it, and nothing else", async () => {
    const { url, arm } = await trap();
    // Each call has a connection of its own.
    const pool = openPool(url);
    pool.options.maxUses = 1;
    cleanup(() => pool.end());
    const storage = postgresStorage(pool, { logger: silent });
    await storage.open();
    cleanup(() => storage.close());
    const send: NewSend = {
      ...entry([], { kind: "send" }),
      ...{ channel: "email", fallbackDelayMs: 0, scheduledAt: null, details: null },
      ...({ inboxNeeds: "item", addresses: "own", throttles: null } as const),
      deliveries: [],
      inboxRecipients: [],
      idempotency: null,
      actor: "host",
    };
    arm();
    // An error that nobody listens for would end the process, and fail this run.
    await expect(storage.deliveries.createSends([send], new Date())).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    expect(await storage.deliveries.createSends([send], new Date())).toHaveLength(1);
  });
});

describe("a transaction whose connection falls silent", () => {
  const cleanup = useCleanup();
  const database = useDatabase();

  function connect() {
    const pool = openPool(database.url);
    cleanup(() => pool.end());
    return { pool, connection: new Connection(pool, { prepared: false, timeoutMs: 300 }) };
  }

  test("fails if any of its statements gets no answer, and gives its connection up", async () => {
    const { pool, connection } = connect();
    const hush = (client: unknown) => (client as { readonly connection: { readonly stream: Socket } }).connection.stream.pause();
    // Answers to its own statement, and to COMMIT.
    for (const last of ["SELECT 1", ""]) {
      const work = connection.transaction(async (session, client) => {
        hush(client);
        return last === "" ? [] : session.rows({ name: "last", text: last }, []);
      });
      await expect(work.catch((error: unknown) => Promise.reject(wrapError(error)))).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    }
    // To BEGIN.
    const client = await pool.connect();
    hush(client);
    client.release();
    await expect(connection.transaction(async () => [])).rejects.toThrow("Query read timeout");
    expect(pool.totalCount).toBe(0);
  });

  test("is ended by PostgreSQL, so that others get its locks", async () => {
    const { pool, connection } = connect();
    const lock = "SELECT pg_advisory_xact_lock(4711)";
    const work = connection.transaction(async (_, client) => {
      await client.query(lock);
      // Nothing is asked on the first connection until this one has the lock.
      await pool.query(lock);
      await client.query("SELECT 1");
    });
    await expect(work.catch((error: unknown) => Promise.reject(wrapError(error)))).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    expect(pool.totalCount).toBe(1);
  });
});

describe("a transaction that only reads", () => {
  const cleanup = useCleanup();
  const database = useDatabase();
  const readLimit = statement<[limit: string]>("idle_limit", "SELECT current_setting('idle_in_transaction_session_timeout')");

  test("is ended by the server if its process falls silent, on the database and on a replica", async () => {
    const pool = openPool(database.url);
    cleanup(() => pool.end());
    const client = await pool.connect();
    cleanup(() => client.release());
    const options = { prepared: false, timeoutMs: 5_000 };
    const limit = async (session: Session) => session.rows(readLimit, []);
    expect(await new Connection(pool, options).snapshot(limit)).toEqual([["5s"]]);
    expect(await snapshots(client, options).snapshot(limit)).toEqual([["5s"]]);
    // Only for the transaction: the connection may be the host's.
    expect(await snapshots(client, options).rows(readLimit, [])).toEqual([["0"]]);
  });
});

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** The end of what a server says when it is ready for queries, outside of a transaction. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
const TERMINATE = "X".charCodeAt(0);

export interface TransactionPooler {
  /** The database, through the pooler. */
  readonly url: string;
  close(): void;
}

/**
 * A pooler in transaction mode, as PgBouncer before 1.21 is one: `servers` connections to the database at `databaseUrl`,
 * each given to a client for one transaction, in turn.
 */
export async function transactionPooler(databaseUrl: string, servers: number): Promise<TransactionPooler> {
  const { hostname, port } = new URL(databaseUrl);
  const pool = new ServerPool(servers);
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    // A client signs in on a connection of its own, which serves everybody afterwards.
    const server = connect({ host: hostname, port: Number(port) });
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
    serve(client, server, pool);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const url = new URL(databaseUrl);
  url.port = String((listener.address() as AddressInfo).port);
  return {
    url: url.href,
    close() {
      for (const socket of sockets) {
        socket.destroy();
      }
      listener.close();
    },
  };
}

/** Servers that no client has at the moment, those free for longest first, and the clients that wait for one. */
class ServerPool {
  readonly #size: number;
  readonly #known = new Set<Socket>();
  readonly #free: Socket[] = [];
  readonly #waiting: ((server: Socket) => void)[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  take(): Promise<Socket> {
    const server = this.#free.shift();
    return server ? Promise.resolve(server) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  put(server: Socket): void {
    if (!this.#known.has(server) && this.#known.size === this.#size) {
      server.destroy();
      return;
    }
    this.#known.add(server);
    const next = this.#waiting.shift();
    if (next) {
      next(server);
    } else {
      this.#free.push(server);
    }
  }
}

function serve(client: Socket, signIn: Socket, pool: ServerPool): void {
  /** The server of the transaction that is open; null while there is none. */
  let current: Promise<Socket> | null = null;
  const borrow = (server: Socket) => {
    let end = Buffer.alloc(0);
    const pass = (data: Buffer) => {
      client.write(data);
      end = Buffer.concat([end, data]).subarray(-READY.length);
      if (end.equals(READY)) {
        server.off("data", pass);
        current = null;
        pool.put(server);
      }
    };
    server.on("data", pass);
    return server;
  };
  current = Promise.resolve(borrow(signIn));
  client.on("data", (data) => {
    if (data[0] === TERMINATE) {
      client.end();
      return;
    }
    current ??= pool.take().then(borrow);
    void current.then((server) => server.write(data));
  });
}

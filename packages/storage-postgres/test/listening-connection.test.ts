import { type AddressInfo, connect, createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { ListeningConnection, type ListeningMode } from "../src/listen-notify/listening-connection.ts";
import { openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const WAIT = { timeout: 30_000, interval: 5 };

describe("the modes of a listening connection", () => {
  const cleanup = useCleanup();
  const database = useDatabase();

  function connection(config: object = { connectionString: database.url, application_name: "belfry-modes" }) {
    let rebuilt = 0;
    const heard: string[] = [];
    const listening = new ListeningConnection({
      config,
      channels: ["belfry_modes"],
      logger: silent,
      preparedStatements: true,
      heartbeatMs: 50,
      onPayload: (payload) => heard.push(payload),
      onRebuilt: () => {
        rebuilt += 1;
      },
    });
    cleanup(() => listening.close());
    return { listening, heard, rebuilt: () => rebuilt };
  }

  async function endAll(): Promise<void> {
    const pool = openPool(database.url);
    cleanup(() => pool.end());
    await rowsOf(pool, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'belfry-modes'");
  }

  test("closed, connecting, open, closed", async () => {
    const { listening } = connection();
    expect(listening.mode).toBe("closed");
    const opening = listening.open();
    expect(listening.mode).toBe("connecting");
    await opening;
    expect([listening.mode, listening.session]).toEqual(["open", expect.anything()]);
    listening.close();
    expect([listening.mode, listening.session]).toEqual(["closed", null]);
  });

  test("connecting, and closed when it cannot be made", async () => {
    const { listening } = connection({ host: "127.0.0.1", port: 1 });
    await expect(listening.open()).rejects.toThrow();
    expect(listening.mode).toBe("closed");
  });

  test("connecting, and closed when its peer lets it in and then says nothing", async () => {
    const { hostname, port, pathname, username, password } = new URL(database.url);
    const proxy = createServer((socket) => {
      const server = connect(Number(port), hostname);
      socket.on("data", (data) => void (data.includes("LISTEN") || server.write(data)));
      server.pipe(socket);
      const end = () => {
        socket.destroy();
        server.destroy();
      };
      for (const one of [socket, server]) {
        one.on("error", end).on("close", end);
      }
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    cleanup(() => new Promise((resolve) => proxy.close(resolve)));
    const { port: proxyPort } = proxy.address() as AddressInfo;
    const names = { database: pathname.slice(1), user: username, password };
    const { listening } = connection({ host: "127.0.0.1", port: proxyPort, ...names, connectionTimeoutMillis: 2_000 });
    await expect(listening.open()).rejects.toThrow("Query read timeout");
    expect(listening.mode).toBe("closed");
  });

  test("connecting, and closed before it is made", async () => {
    const { listening } = connection();
    const opening = listening.open();
    listening.close();
    await expect(opening).rejects.toThrow();
    expect(listening.mode).toBe("closed");
  });

  test("open, lost, waiting, connecting, open", async () => {
    const { listening, rebuilt } = connection();
    await listening.open();
    await endAll();
    const seen = new Set<ListeningMode>();
    await expect
      .poll(() => {
        seen.add(listening.mode);
        return rebuilt();
      }, WAIT)
      .toBe(1);
    expect(listening.mode).toBe("open");
    expect([...seen]).toEqual(expect.arrayContaining(["waiting", "open"]));
  });

  test("open, with one more channel, which is heard also after the connection was lost, and after it was asked for meanwhile", async () => {
    const { listening, heard, rebuilt } = connection();
    await listening.open();
    await Promise.all([listening.listen("belfry_more"), listening.listen("belfry_more")]);
    const pool = openPool(database.url);
    cleanup(() => pool.end());
    const notify = (payload: string) => rowsOf(pool, `NOTIFY belfry_more, '${payload}'; NOTIFY belfry_other, '${payload}'`);
    await notify("first");
    await expect.poll(() => heard, WAIT).toEqual(["first"]);
    await endAll();
    await listening.listen("belfry_other");
    await expect.poll(rebuilt, WAIT).toBe(1);
    await notify("second");
    await expect.poll(() => heard, WAIT).toEqual(["first", "second", "second"]);
  });

  test("waiting and connecting for as long as it cannot be built anew, and then closed", async () => {
    const config = { connectionString: database.url, application_name: "belfry-modes" };
    const { listening, rebuilt } = connection(config);
    await listening.open();
    config.connectionString = "postgres://127.0.0.1:1/nowhere";
    await endAll();
    await expect.poll(() => listening.mode, WAIT).toBe("waiting");
    listening.close();
    expect([listening.mode, rebuilt()]).toEqual(["closed", 0]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(listening.mode).toBe("closed");
  });
});

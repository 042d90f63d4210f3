import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { API_KEY } from "../test/http-creates.ts";
import { useCleanup } from "../test/use-cleanup.ts";
import { type Arena, arena } from "./parts/arena.ts";
import { databasesOf, scaled } from "./parts/run.ts";

const COUNT = scaled(100, 10_000);
const AT_ONCE = 100;
/** No name of the outside world: addresses that are private by different rules, from one look-up to the next. */
const ADDRESSES = ["127.0.0.1", "10.1.2.3", "::1", "169.254.169.254", "::ffff:127.0.0.1", "0.0.0.0", "192.168.0.1", "fd00::1"];

describe.each(databasesOf(11))("F11 %s: a name server gives webhooks' hosts another inside address at each look-up", (kind) => {
  const cleanup = useCleanup();

  async function canary() {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    server.listen(0, "::");
    await once(server, "listening");
    cleanup(() => server.close());
    return { port: (server.address() as AddressInfo).port, connections: () => connections };
  }

  /** Asks for webhooks to hosts of that name server. */
  async function send(one: Arena, port: number, count: number): Promise<void> {
    for (let sent = 0; sent < count; sent += AT_ONCE) {
      const recipients = Array.from(
        { length: Math.min(AT_ONCE, count - sent) },
        (_, index) => `https://rebinding.test:${port}/${sent + index}`,
      );
      const text = `F11-${kind}-webhook-${sent}`;
      await one.ledger.append({ what: "issued", text, channel: "webhook" });
      const response = await fetch(`${one.victims[0]?.url}/api/v1/notifications/`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-api-key": API_KEY },
        body: JSON.stringify({ type: "webhook", recipients, content: text }),
      });
      expect(response.status).toBe(201);
      const { data } = (await response.json()) as { readonly data: { readonly id: string } };
      await one.ledger.append({ what: "accepted", text, id: data.id });
    }
  }

  async function run(count: number, allowsPrivate: boolean) {
    const { port, connections } = await canary();
    const victim = { allowsPrivate, resolves: { "rebinding.test": ADDRESSES }, retryDelaysMs: [], attemptMs: 5_000, leaseMs: 11_000 };
    const one = await arena({ fault: "F11", kind, victim }, cleanup);
    await one.start();
    await send(one, port, count);
    const verdict = await one.expectSound(({ status }) => status === "failed");
    return { one, verdict, connections: connections() };
  }

  test("nothing connects to the inside", async () => {
    const { one, verdict, connections } = await run(COUNT, false);
    expect(connections).toBe(0);
    // The listener that counts hears of those who may connect.
    const allowed = await run(1, true);
    expect(allowed.connections).toBe(1);
    one.note(verdict, { deliveries: COUNT, connections });
  });
});

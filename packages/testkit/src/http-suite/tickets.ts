import { hub, inboxV1 } from "@belfry/core/contracts";
import type { Principal } from "@belfry/core/http";
import { describe, expect, test } from "vitest";
import { ask, jwt } from "./client.ts";
import { HandClock } from "./hand-clock.ts";
import type { HttpHarness } from "./harness.ts";
import { suiteOptions, useSetting } from "./setting.ts";
import { SocketClient } from "./socket-client.ts";

const SOCKET = "/api/v1/ws/events";
const TICKET = "/api/v1/notifications/ws-ticket";

/** Tests the tickets that open a WebSocket in the place of a token in its URL, and what else may open one. */
export function ticketsSuite(harness: HttpHarness): void {
  describe("socket tickets", () => {
    const clock = new HandClock();
    const contracts = [inboxV1(), hub()];
    const setting = useSetting(harness, { ...suiteOptions(), clock, contracts }, {}, { clock });

    async function ticketOf(headers: Readonly<Record<string, string>>): Promise<string> {
      const answer = await ask(`${setting.url}${TICKET}`, { method: "POST", headers });
      expect(answer).toMatchObject({ status: 201, body: { ticket: expect.stringMatching(/^[\w-]{43}$/), expires_in: 30 } });
      return (answer.body as { readonly ticket: string }).ticket;
    }

    const openWith = (query: string, path = SOCKET) => new SocketClient(`${setting.url}${path}?${query}`);

    test("row 24: a ticket opens one socket, which is the caller's own, and a second one is refused with 401", async () => {
      const ticket = await ticketOf(await setting.bearer("ticket"));
      const client = await openWith(`ticket=${ticket}`).ready();
      await setting.service.create({ to: "ticket", title: "live" });
      expect((await client.received.count(1))[0]).toMatchObject({ type: "notification_new", payload: { title: "live" } });
      expect(await handshake(openWith(`ticket=${ticket}`))).toBe(401);
      client.drop();
    });

    test("row 24: of twenty handshakes at once with one ticket, one opens", async () => {
      const ticket = await ticketOf(await setting.bearer("race"));
      const statuses = await Promise.all(Array.from({ length: 20 }, () => handshake(openWith(`ticket=${ticket}`))));
      expect(statuses.toSorted()).toEqual([101, ...Array.from({ length: 19 }, () => 401)]);
    });

    test("row 24: a ticket that waited for 30 s, an unknown one and an empty one are refused with 401", async () => {
      const ticket = await ticketOf(await setting.bearer("late", undefined));
      clock.pass(31_000);
      for (const query of [
        `ticket=${ticket}`,
        "ticket=",
        "ticket=x",
        `ticket=${"x".repeat(5_000)}`,
        `ticket=x&token=${await jwt("late")}`,
      ]) {
        expect(await handshake(openWith(query))).toBe(401);
      }
    });

    test("row 24: a user's ticket opens no client's socket, and only a user gets one", async () => {
      const ticket = await ticketOf(await setting.bearer("wrong door"));
      expect(await handshake(openWith(`ticket=${ticket}`, "/ws"))).toBe(401);
      expect((await ask(`${setting.url}${TICKET}`, { method: "POST" })).status).toBe(401);
      expect((await ask(`${setting.url}${TICKET}?token=${await jwt("ann")}`, { method: "POST" })).status).toBe(401);
    });

    test("row 26: a socket that a ticket opened ends with the token behind it", async () => {
      const authorization = `Bearer ${await jwt("short", { expiresInS: 86_400 })}`;
      const client = await openWith(`ticket=${await ticketOf({ authorization })}`).ready();
      clock.pass(86_400_000);
      expect(await client.closed()).toBe(4401);
    });

    test("a token may also stand in the Authorization header, and no subprotocol is chosen", async () => {
      const client = await new SocketClient(`${setting.url}${SOCKET}`, {
        authorization: `Bearer ${await jwt("header", { expiresInS: 400_000 })}`,
      }).ready();
      client.drop();
      const offered = new SocketClient(`${setting.url}${SOCKET}?token=x`, { "sec-websocket-protocol": "belfry, other" });
      const protocol = new Promise((resolve) => {
        offered.socket.once("upgrade", ({ headers }) => resolve(headers["sec-websocket-protocol"]));
      });
      expect(await protocol).toBeUndefined();
      offered.drop();
    });
  });

  describe("tickets of a host's own sessions", () => {
    const clock = new HandClock();
    const sessions = new Map<string, Principal>();
    const setting = useSetting(harness, {
      clock,
      contracts: [inboxV1()],
      auth: ({ headers }) => sessions.get(headers.cookie ?? "") ?? null,
    });

    test("rows 24, 26: stand for the cookie of the request that asked, as long as its session lasts", async () => {
      sessions.set("session=1", { kind: "user", tenant: "acme", userId: "ann" });
      const issue = async () => {
        const answer = await ask(`${setting.url}${TICKET}`, { method: "POST", headers: { cookie: "session=1" } });
        return (answer.body as { readonly ticket: string }).ticket;
      };
      const open = (ticket: string) => new SocketClient(`${setting.url}${SOCKET}?ticket=${ticket}`);
      const [first, second] = [await issue(), await issue()];
      const client = await open(first).ready();
      sessions.clear();
      expect(await handshake(open(second))).toBe(401);
      clock.pass(16_000);
      expect(await client.closed()).toBe(4401);
    });
  });

  describe("a look-up that never ends", () => {
    const clock = new HandClock();
    const never = () => new Promise<never>(() => {});
    const setting = useSetting(harness, { clock, contracts: [inboxV1(), hub()], auth: never });

    test("row 25: closes its socket, or ends its handshake, after 5 s", async () => {
      const inbox = new SocketClient(`${setting.url}${SOCKET}?token=x`);
      await new Promise((resolve) => inbox.socket.once("open", resolve));
      const status = handshake(new SocketClient(`${setting.url}/ws?apiKey=x`));
      await expect
        .poll(async () => {
          clock.pass(6_000);
          return [inbox.closeCode, await Promise.race([status, Promise.resolve(null)])];
        })
        .toEqual([4401, 503]);
    });
  });
}

/** Returns the status of a handshake: 101 if it was accepted. The socket is dropped then. */
function handshake({ socket }: SocketClient): Promise<number> {
  return new Promise((resolve) => {
    socket.once("open", () => {
      resolve(101);
      socket.terminate();
    });
    socket.once("unexpected-response", (request, response) => {
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
  });
}

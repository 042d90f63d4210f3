import { expect, test } from "vitest";
import { ask } from "./client.ts";
import type { Setting } from "./setting.ts";
import { type Received, type ReceivedFrame, SocketClient } from "./socket-client.ts";
import { StreamClient } from "./stream-client.ts";

const BASE = "/api/belfry/v1/inbox";

/** A connection of either kind, which begins at a position, or at present. */
interface Live {
  readonly received: Received;
  drop(): void;
}

/** @param query what it asks for, such as `{ since }` */
type Connect = (userId: string, query?: Readonly<Record<string, string>>) => Promise<Live>;

/** What a frame says, without its numbers. */
function gist({ type, change, item, count, recovered }: ReceivedFrame): readonly unknown[] {
  return type === "state" ? ["state", recovered] : [change, (item as { readonly title?: string } | null)?.title ?? null, count];
}

/** Tests how the native contract tells of an inbox: over a stream and over a socket. */
export function nativeLiveTests(setting: Setting): void {
  const connections: Readonly<Record<string, Connect>> = {
    async stream(userId, query) {
      return new StreamClient().open(`${setting.url}${BASE}/stream?${new URLSearchParams(query)}`, await setting.bearer(userId));
    },
    async socket(userId, query) {
      const { body } = await ask(`${setting.url}${BASE}/ticket`, { method: "POST", headers: await setting.bearer(userId) });
      const { ticket } = body as { readonly ticket: string };
      return new SocketClient(`${setting.url}${BASE}/socket?${new URLSearchParams({ ...query, ticket })}`);
    },
  };

  for (const [kind, connect] of Object.entries(connections)) {
    const inboxOf = (userId: string) => setting.service.inbox(userId);
    const create = async (userId: string, title: string) => {
      const { notification } = await setting.service.create({ to: userId, type: "comment", title } as never);
      return notification.id;
    };
    const positionOf = async (userId: string) => {
      const { epoch, lastSeq, rev } = await inboxOf(userId).counts();
      return `${epoch}:${lastSeq}:${rev}`;
    };

    test(`${kind}: a client without a position is told where it is, then of each change with its item, and of changes of all`, async () => {
      const userId = `${kind}-live`;
      const old = await create(userId, "old");
      const live = await connect(userId);
      const [state] = await live.received.count(1);
      const counts = { total: 1, unread: 1, unseen: 1, lastSeq: 1, rev: 0 };
      expect(state).toEqual({
        ...{ v: 1, type: "state", recovered: true, position: await positionOf(userId) },
        counts: { ...counts, epoch: expect.any(String) },
      });
      await create(userId, "new");
      await inboxOf(userId).markRead(old);
      await inboxOf(userId).snooze(old, new Date(Date.now() + 3_600_000));
      await inboxOf(userId).markAllRead();
      const frames = (await live.received.count(5)).slice(1);
      expect(frames.map(gist)).toEqual([
        ["created", "new", 1],
        ["read", "old", 1],
        ["snoozed", "old", 1],
        ["read_all", null, 1],
      ]);
      expect(frames.map(({ v, rev }) => [v, rev])).toEqual([
        [1, undefined],
        [1, 1],
        [1, 2],
        [1, 3],
      ]);
      expect(frames.map(({ counts: after }) => after)).toEqual(
        [
          { total: 2, unread: 2, unseen: 2, lastSeq: 2, rev: 0 },
          { total: 2, unread: 1, unseen: 1, lastSeq: 2, rev: 1 },
          { total: 1, unread: 1, unseen: 1, lastSeq: 2, rev: 2 },
          { total: 1, unread: 0, unseen: 0, lastSeq: 2, rev: 3 },
        ].map((after) => ({ ...after, epoch: expect.any(String) })),
      );
      expect(frames[2]?.item).toMatchObject({ id: old, readAt: expect.any(String), snoozedUntil: expect.any(String) });
      live.drop();
    });

    test(`${kind}: who comes back is told of new items and of changes in their order, then of the counts`, async () => {
      const userId = `${kind}-resume`;
      const [a, b] = [await create(userId, "a"), await create(userId, "b")];
      const since = await positionOf(userId);
      await inboxOf(userId).markRead(a);
      await create(userId, "c");
      await inboxOf(userId).remove(b);
      const live = await connect(userId, { since });
      await live.received.until(() => live.received.frames.some(({ type }) => type === "state"));
      expect(live.received.frames.map(gist)).toEqual([
        ["read", "a", 1],
        ["created", "c", 1],
        ["deleted", "b", 1],
        ["state", true],
      ]);
      expect(live.received.frames.at(-1)).toMatchObject({ position: await positionOf(userId), counts: { total: 2, unread: 1 } });
      live.drop();
    });

    test(`${kind}: texts that functions of types make are in the language that is asked for, in a replay and live`, async () => {
      const userId = `${kind}-language`;
      const made = async () => (await setting.service.create({ to: userId, type: "comment" } as never)).notification.id;
      const since = await positionOf(userId);
      const id = await made();
      const live = await connect(userId, { since, locale: "de" });
      await live.received.until(() => live.received.frames.some(({ type }) => type === "state"));
      await create(userId, "as it was given");
      await made();
      await inboxOf(userId).markRead(id);
      const frames = await live.received.count(5);
      expect(frames.map(gist)).toEqual([
        ["created", "Neuer Kommentar", 1],
        ["state", true],
        ["created", "as it was given", 1],
        ["created", "Neuer Kommentar", 1],
        ["read", "Neuer Kommentar", 1],
      ]);
      live.drop();
    });

    test.each(["other:1:0", "nonsense", `${"x".repeat(40)}:1`, "a:1:-1"])(`${kind}: from %s nothing is recovered`, async (since) => {
      const userId = `${kind}-lost`;
      await create(userId, "a");
      const live = await connect(userId, { since });
      await live.received.until(() => live.received.frames.some(({ type }) => type === "state"));
      expect(live.received.frames.map(gist)).toEqual([["state", false]]);
      live.drop();
    });
  }

  test("a language that is none is refused", async () => {
    const headers = await setting.bearer("no-language");
    const { status, body } = await ask(`${setting.url}${BASE}/stream?locale=no_language`, { headers });
    expect([status, body]).toMatchObject([422, { code: "VALIDATION_ERROR", issues: [{ path: ["locale"] }] }]);
    expect(await new SocketClient(`${setting.url}${BASE}/socket?locale=no_language`, headers).closed()).toBe(4400);
  });

  test("the id of each event of a stream is the position behind it: a browser resumes by itself", async () => {
    const userId = "stream-ids";
    const { notification } = await setting.service.create({ to: userId, type: "comment", title: "a" } as never);
    const headers = await setting.bearer(userId);
    const stream = await new StreamClient().open(`${setting.url}${BASE}/stream`, headers);
    // What happens before the first state may be told before it.
    await stream.received.count(1);
    await setting.service.inbox(userId).markRead(notification.id);
    await setting.service.create({ to: userId, type: "comment", title: "b" } as never);
    await stream.received.count(3);
    const { epoch } = await setting.service.inbox(userId).counts();
    expect(stream.events.map(({ id }) => id)).toEqual([`${epoch}:1:0`, `${epoch}:1:1`, `${epoch}:2:1`]);
    stream.drop();
    await setting.service.inbox(userId).markAllSeen();
    const back = await new StreamClient().open(`${setting.url}${BASE}/stream`, { ...headers, "last-event-id": `${epoch}:1:1` });
    await back.received.until(() => back.received.frames.some(({ type }) => type === "state"));
    expect(back.received.frames.map(gist)).toEqual([
      ["created", "b", 1],
      ["seen_all", null, 0],
      ["state", true],
    ]);
    back.drop();
  });

  test("a ticket opens one socket; without one, or with a wrong one, there is none, and a client says nothing but pong", async () => {
    const headers = await setting.bearer("socket-door");
    const { body, status } = await ask(`${setting.url}${BASE}/ticket`, { method: "POST", headers });
    expect([status, body]).toEqual([201, { ticket: expect.stringMatching(/^[\w-]{43}$/), expiresInMs: 30_000 }]);
    const url = `${setting.url}${BASE}/socket?ticket=${(body as { readonly ticket: string }).ticket}`;
    const socket = new SocketClient(url);
    await socket.received.count(1);
    socket.send({ type: "pong" });
    socket.send({ type: "dance" });
    socket.send("{");
    const frames = await socket.received.count(3);
    expect(frames.slice(1)).toEqual([
      { v: 1, type: "error", message: "A client of this socket says nothing but pong." },
      { v: 1, type: "error", message: "Invalid JSON message" },
    ]);
    socket.drop();
    expect(await new SocketClient(url).closed()).toBe(1006);
    expect(await new SocketClient(`${setting.url}${BASE}/socket`).closed()).toBe(4401);
    const withHeader = new SocketClient(`${setting.url}${BASE}/socket`, headers);
    expect((await withHeader.received.count(1))[0]).toMatchObject({ type: "state" });
    withHeader.drop();
  });
}

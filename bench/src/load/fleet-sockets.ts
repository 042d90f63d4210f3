/**
 * The clients of a fleet. Tasks:
 *
 * - `{ open: { ports, userIds } }`, a socket for each user, at the instances in turn; answered once all follow their inboxes;
 * - `{ expect: count }`, answered with `{ arrived: [title, ms][] }` once so many frames of new notifications have come, and forgets them.
 */
import { WebSocket } from "ws";
import { pathFor } from "../settings/socket-servers.ts";

/** What the clients are asked. */
export interface SocketsTask {
  readonly open?: { readonly ports: readonly number[]; readonly userIds: readonly string[] };
  readonly expect?: number;
}

/** So many connect at once. */
const AT_ONCE = 50;
const GIVE_UP_MS = 60_000;
const STEP_MS = 20;
let arrived: (readonly [string, number])[] = [];

/** Resolves once the socket follows its inbox, which says so after what it missed: nothing. */
async function open(port: number, userId: string): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${await pathFor(userId, "websocket")}&since=0&epoch=0`);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("error", reject);
  socket.on("message", (data) => {
    const atMs = performance.timeOrigin + performance.now();
    const { type, payload } = JSON.parse(String(data)) as { readonly type?: string; readonly payload?: { readonly title?: string } };
    if (type === "notification_new") {
      arrived.push([payload?.title ?? "", atMs]);
    } else if (type === "inbox_state") {
      resolve();
    }
  });
  await promise;
}

async function openAll({ ports, userIds }: NonNullable<SocketsTask["open"]>): Promise<void> {
  for (let at = 0; at < userIds.length; at += AT_ONCE) {
    await Promise.all(userIds.slice(at, at + AT_ONCE).map((userId, index) => open(ports[(at + index) % ports.length] ?? 0, userId)));
  }
}

process.on("message", async (task: SocketsTask) => {
  if (task.open) {
    await openAll(task.open);
    process.send?.({});
    return;
  }
  const { expect = 0 } = task;
  for (let waitedMs = 0; arrived.length < expect && waitedMs < GIVE_UP_MS; waitedMs += STEP_MS) {
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
  process.send?.({ arrived });
  arrived = [];
});

// It ends with the process that started it, also if that is killed.
process.once("disconnect", () => process.exit());

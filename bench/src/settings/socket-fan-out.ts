import type { Notification } from "@belfry/core";
import type { Comparison, Side } from "../harness/row.ts";
import { LoadProcess } from "../load/load-process.ts";
import { inputFor } from "./content.ts";
import { each } from "./each.ts";
import { belfrySockets, chunkOf, frameOf, type OpenServer, plainSockets, plainStreams, type RawServer } from "./socket-servers.ts";
import { SqliteSetting } from "./sqlite.ts";

const CONNECTIONS = 1_000;
/** A slice has no fewer events: of one with a few, a collection of garbage or the system's own work is half. */
const STEP = 10;
const OPENED_AT_ONCE = 50;

/** How a notification that was created reaches the open connections of a server written by hand. */
type Tell = (server: RawServer, notification: Notification, seq: number) => void;

/** As applications do it: every socket has the frame made anew. */
const tellUsual: Tell = ({ webSockets }, notification, seq) => {
  for (const webSocket of webSockets) {
    webSocket.send(JSON.stringify(frameFor(notification, seq)));
  }
};

/** The frame made once, and written to each connection as it is. */
const tellPrebuilt: Tell = ({ connections }, notification, seq) => {
  const frame = frameOf(JSON.stringify(frameFor(notification, seq)));
  for (const connection of connections) {
    connection.write(frame);
  }
};

/** As applications do it with streams. */
const tellStreams: Tell = ({ responses }, notification, seq) => {
  for (const response of responses) {
    response.write(`event: notification_new\nid: 0123456789ab:${seq}\ndata: ${JSON.stringify(frameFor(notification, seq))}\n\n`);
  }
};

/** The chunk made once, and written to each connection as it is. */
const tellChunk: Tell = ({ connections }, notification, seq) => {
  const data = JSON.stringify(frameFor(notification, seq));
  const chunk = chunkOf(`event: notification_new\nid: 0123456789ab:${seq}\ndata: ${data}\n\n`);
  for (const connection of connections) {
    connection.write(chunk);
  }
};

/** Belfry's sockets beside those of an application, and beside the least that can be done. */
export async function compareSockets(together: number): Promise<Comparison> {
  const usual = { name: "usual", server: await plainSockets(), tell: tellUsual };
  const prebuilt = { name: "prebuilt frame", server: await plainSockets(), tell: tellPrebuilt };
  // In a burst the usual side alone takes a second for an operation.
  return compareFanOuts({ kind: "websocket", together, byHand: together === 1 ? [usual, prebuilt] : [usual] });
}

/** Belfry's streams beside those of an application, and beside the least that can be done. */
export async function compareStreams(): Promise<Comparison> {
  const usual = { name: "usual", server: await plainStreams(), tell: tellStreams };
  const prebuilt = { name: "prebuilt chunk", server: await plainStreams(), tell: tellChunk };
  return compareFanOuts({ kind: "stream", together: 1, byHand: [usual, prebuilt] });
}

interface FanOuts {
  readonly kind: OpenServer["kind"];
  readonly together: number;
  readonly byHand: readonly { readonly name: string; readonly server: RawServer; readonly tell: Tell }[];
}

/** Every side creates the notification with Belfry, each in a database of its own, and then tells its own connections. */
async function compareFanOuts({ kind, together, byHand }: FanOuts): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const load = new LoadProcess("./socket-load.ts");
  const service = await setting.belfry("belfry.db");
  await service.start();
  const own = await belfrySockets(service, kind);
  await openInTurns(load, [{ name: "belfry", server: own }, ...byHand]);
  let order = 0;
  const input = () => {
    order += 1;
    return inputFor("ann", order);
  };
  const side = (name: string, send: () => Promise<unknown>): Side => {
    const sent = { events: 0 };
    const arrived = () => load.ask({ expect: { name, events: sent.events } });
    const run = (count: number) =>
      each(count, async () => {
        sent.events += together * CONNECTIONS;
        await Promise.all(Array.from({ length: together }, send));
        await arrived();
      });
    return { name, step: together === 1 ? STEP : 1, run, work: async () => bytesOnly(await arrived()) };
  };
  const sides = [side("belfry", () => service.create(input()))];
  for (const { name, server, tell } of byHand) {
    const creator = await setting.belfry(`${name}.db`);
    sides.push(
      side(name, async () => {
        const { notification, items } = await creator.create(input());
        tell(server, notification, items[0]?.seq ?? 0);
      }),
    );
  }
  const close = async () => {
    load.stop();
    for (const { close: end } of [own, ...byHand.map(({ server }) => server)]) {
      end();
    }
    await setting.close();
  };
  const files = ["belfry.db", ...byHand.map(({ name }) => `${name}.db`)];
  return { sides, knobs: `${setting.knobs(...files)}; ${CONNECTIONS} connections of another process`, close };
}

/** What a process opens first lies worse in its memory, and costs more from then on: no side is to be the first. */
async function openInTurns(load: LoadProcess, sides: readonly { readonly name: string; readonly server: OpenServer }[]): Promise<void> {
  for (let opened = 0; opened < CONNECTIONS; opened += OPENED_AT_ONCE) {
    for (const { name, server } of sides) {
      await load.ask({ open: { name, ...addressOf(server), count: OPENED_AT_ONCE } });
    }
  }
}

function bytesOnly({ events = 0, bytes = 0 }: Readonly<Record<string, number>>) {
  return { events, bytes };
}

function addressOf({ port, request, kind }: OpenServer): Pick<OpenServer, "port" | "request" | "kind"> {
  return { port, request, kind };
}

function frameFor({ id, type, title, message, data, createdAt }: Notification, seq: number): object {
  const payload = { id, user_id: "ann", type, title, message, data, status: "unread", read_at: null, created_at: createdAt };
  return {
    type: "notification_new",
    payload,
    event_type: "notification_new",
    entity_type: "notification",
    entity_id: id,
    seq,
    epoch: "0123456789ab",
  };
}

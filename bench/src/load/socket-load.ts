/**
 * Keeps many connections open, as raw sockets, and counts the events that arrive.
 *
 * Tasks: `{ open: { name, port, request, count, kind } }` opens a crowd, or more of it; `{ expect: { name, events } }` is answered with
 * `{ events, bytes }` once so many came in all; `{ close: { name } }` ends a crowd.
 */
import { connect, type Socket } from "node:net";

type Kind = "websocket" | "stream";

interface Task {
  readonly open?: { readonly name: string; readonly port: number; readonly request: string; readonly count: number; readonly kind: Kind };
  readonly expect?: { readonly name: string; readonly events: number };
  readonly close?: { readonly name: string };
}

const HEAD_END = Buffer.from("\r\n\r\n");
const EVENT = Buffer.from("event: notification_new\n");
const AT_ONCE = 50;

/** An empty pong (RFC 6455, 5.5.3) with a mask of zeros, as a client's frames have to have one. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
const PING = 0x89;
/** Shorter frames are no events: what keeps a silent socket open, and empty pings. */
const EVENT_BYTES = 126;

/** Counts events in what one connection gets; answers with how many a part completed. */
type Counter = (part: Buffer) => number;

/** Goes from frame to frame by their lengths (RFC 6455, 5.2), and answers pings; a server's frames have no mask. */
function frameCounter(socket: Socket): Counter {
  let left = 0;
  let isEvent = false;
  let kept: Buffer = Buffer.alloc(0);
  /** Reads a header, and returns its length; 0 while it is not all there. */
  const enter = (bytes: Buffer, at: number): number => {
    const { header, payload } = lengthsAt(bytes, at);
    if (bytes.length - at < header) {
      return 0;
    }
    if (bytes[at] === PING) {
      socket.write(PONG);
    }
    isEvent = payload >= EVENT_BYTES;
    left = payload;
    return header;
  };
  return (part) => {
    const bytes = kept.length > 0 ? Buffer.concat([kept, part]) : part;
    let events = 0;
    let at = 0;
    while (at < bytes.length) {
      const entered = left === 0 ? enter(bytes, at) : 0;
      if (left === 0 && entered === 0) {
        break;
      }
      const taken = Math.min(left, bytes.length - at - entered);
      left -= taken;
      at += entered + taken;
      events += isEvent && left === 0 ? 1 : 0;
    }
    kept = bytes.subarray(at);
    return events;
  };
}

/** The lengths of the header that begins at `at`, and of the payload behind it. */
function lengthsAt(bytes: Buffer, at: number): { readonly header: number; readonly payload: number } {
  const short = bytes[at + 1] ?? 0;
  const there = bytes.length - at;
  if (short < 126) {
    return { header: 2, payload: short };
  }
  if (short === 126) {
    return { header: 4, payload: there < 4 ? 0 : bytes.readUInt16BE(at + 2) };
  }
  return { header: 10, payload: there < 10 ? 0 : Number(bytes.readBigUInt64BE(at + 2)) };
}

/** Looks for the line that starts an event; one may be cut between two parts. */
function lineCounter(): Counter {
  let tail: Buffer = Buffer.alloc(0);
  return (part) => {
    const text = Buffer.concat([tail, part]);
    let events = 0;
    let end = 0;
    for (let at = text.indexOf(EVENT); at >= 0; at = text.indexOf(EVENT, end)) {
      events += 1;
      end = at + EVENT.length;
    }
    tail = text.subarray(Math.max(end, text.length - EVENT.length + 1));
    return events;
  };
}

/** Connections whose events are counted together. */
class Crowd {
  readonly sockets: Socket[] = [];
  events = 0;
  bytes = 0;
  #awaited = Number.POSITIVE_INFINITY;
  #resolve: () => void = () => {};

  add(events: number, bytes: number): void {
    this.events += events;
    this.bytes += bytes;
    if (this.events >= this.#awaited) {
      this.#resolve();
    }
  }

  until(events: number): Promise<void> {
    this.#awaited = events;
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.add(0, 0);
    });
  }
}

const crowds = new Map<string, Crowd>();

function openOne({ name, port, request, kind }: NonNullable<Task["open"]>, crowd: Crowd): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const count = kind === "websocket" ? frameCounter(socket) : lineCounter();
    crowd.sockets.push(socket);
    socket.on("error", reject);
    socket.on("close", () => {
      // The server gave a connection up, as it does with readers that are too slow: the events would never be complete.
      if (crowds.get(name) === crowd) {
        throw new Error(`A connection of ${name} was closed after ${crowd.events} events.`);
      }
    });
    socket.write(request);
    let isOpen = false;
    socket.on("data", (part) => {
      if (isOpen) {
        crowd.add(count(part), part.length);
        return;
      }
      if (!/^HTTP\/1\.1 (101|200) /.test(part.toString("latin1", 0, 20))) {
        reject(new Error(`A connection was refused: ${part.toString("latin1", 0, 300)}`));
      }
      isOpen = true;
      const rest = part.subarray(part.indexOf(HEAD_END) + HEAD_END.length);
      crowd.add(count(rest), rest.length);
      resolve();
    });
  });
}

async function open(task: NonNullable<Task["open"]>): Promise<void> {
  const crowd = crowds.get(task.name) ?? new Crowd();
  crowds.set(task.name, crowd);
  for (let opened = 0; opened < task.count; opened += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, task.count - opened) }, () => openOne(task, crowd)));
  }
}

process.on("message", async ({ open: opening, expect, close }: Task) => {
  if (opening) {
    await open(opening);
    process.send?.({});
  } else if (expect) {
    const crowd = crowds.get(expect.name);
    await crowd?.until(expect.events);
    process.send?.({ events: crowd?.events ?? 0, bytes: crowd?.bytes ?? 0 });
  } else if (close) {
    const crowd = crowds.get(close.name);
    crowds.delete(close.name);
    for (const socket of crowd?.sockets ?? []) {
      socket.destroy();
    }
    process.send?.({});
  }
});

import type { Writable } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { FrameQueue, type FrameSink, textFrame } from "./frame-queue.ts";

// The part of ws that reads frames; its types leave it out.
const { Receiver } = (await import("ws")) as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

/** Takes frames as a socket would, and keeps each write. */
function sink(): FrameSink & { readonly writes: Buffer[] } {
  const writes: Buffer[] = [];
  return { gathered: 0, writes, write: (bytes) => void writes.push(bytes) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Reads frames as ws does. */
async function texts(bytes: Buffer): Promise<string[]> {
  const receiver = new Receiver({ isServer: false });
  const read: string[] = [];
  receiver.on("message", (data: Buffer) => void read.push(data.toString()));
  await new Promise<void>((resolve, reject) => {
    receiver.on("error", reject);
    receiver.end(bytes, () => resolve());
  });
  return read;
}

describe("FrameQueue", () => {
  test("texts of one turn leave in one write, in order", async () => {
    const [queue, one] = [new FrameQueue(textFrame), sink()];
    for (const text of ["a", "b", "a"]) {
      queue.add(one, text);
    }
    expect(one.writes).toEqual([]);
    await turn();
    expect(one.writes).toHaveLength(1);
    expect(await texts(Buffer.concat(one.writes))).toEqual(["a", "b", "a"]);
    queue.add(one, "c");
    await turn();
    expect(await texts(one.writes[1] as Buffer)).toEqual(["c"]);
  });

  test("sockets with the same texts share the bytes; others get their own", async () => {
    const queue = new FrameQueue(textFrame);
    const sinks = [sink(), sink(), sink(), sink()] as const;
    for (const each of sinks) {
      queue.add(each, "to all");
    }
    queue.add(sinks[0], "more");
    queue.add(sinks[1], "more");
    queue.add(sinks[2], "other");
    await turn();
    const [first, second, third, fourth] = sinks.map(({ writes }) => writes[0] as Buffer);
    expect(first).toBe(second);
    expect(await texts(first as Buffer)).toEqual(["to all", "more"]);
    expect(await texts(third as Buffer)).toEqual(["to all", "other"]);
    expect(await texts(fourth as Buffer)).toEqual(["to all"]);
  });

  test("a sink that throws when it is written keeps no other from its texts, nor gives it those of somebody else", async () => {
    const queue = new FrameQueue(textFrame);
    const [ann, bob, cid] = [sink(), sink(), sink()];
    const broken: FrameSink = {
      gathered: 0,
      write() {
        throw new Error("no connection any more");
      },
    };
    const thrown: unknown[] = [];
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", (error) => thrown.push(error));
    onTestFinished(() => {
      for (const listener of listeners) {
        process.on("uncaughtException", listener);
      }
    });
    queue.add(ann, "for Ann");
    queue.add(broken, "for nobody");
    queue.add(bob, "for Bob");
    await turn();
    queue.add(cid, "for Cid");
    queue.add(cid, "and more for Cid");
    queue.add(cid, "and still more for Cid");
    queue.add(bob, "more for Bob");
    await turn();
    expect(thrown).toEqual([new Error("no connection any more")]);
    expect(await texts(Buffer.concat(ann.writes))).toEqual(["for Ann"]);
    expect(await texts(Buffer.concat(bob.writes))).toEqual(["for Bob", "more for Bob"]);
    expect(await texts(Buffer.concat(cid.writes))).toEqual(["for Cid", "and more for Cid", "and still more for Cid"]);
  });

  test("texts for sinks that come while others are written are written, too", async () => {
    const queue = new FrameQueue(textFrame);
    const [later, last] = [sink(), sink()];
    const first: FrameSink = {
      gathered: 0,
      write() {
        queue.add(last, "to the last");
        queue.add(later, "more");
        queue.add(last, "the end");
      },
    };
    queue.add(first, "a");
    queue.add(later, "b");
    await turn();
    expect([later.writes.length, last.writes.length]).toEqual([1, 1]);
    expect(await texts(Buffer.concat([...later.writes, ...last.writes]))).toEqual(["b", "more", "to the last", "the end"]);
  });

  test("a sink that is emptied before the turn ends is not written to", async () => {
    const [queue, one] = [new FrameQueue(textFrame), sink()];
    queue.add(one, "gone");
    expect(queue.lengthOf(one)).toBe(6);
    one.gathered = 0;
    await turn();
    expect(one.writes).toEqual([]);
  });

  test.each([0, 125, 126, 65_535, 65_536, 1_000_000])("a text of %i bytes is framed as ws reads it", async (bytes) => {
    const text = "é".repeat(Math.floor(bytes / 2)) + "x".repeat(bytes % 2);
    expect(Buffer.byteLength(text)).toBe(bytes);
    expect(await texts(textFrame(text))).toEqual([text]);
  });
});

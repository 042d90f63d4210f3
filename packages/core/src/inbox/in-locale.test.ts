import { beforeEach, describe, expect, test } from "vitest";
import type { FeedSubscription } from "../foundation/context.ts";
import { defineTypes } from "../notifications/index.ts";
import { followInLocale } from "./in-locale.ts";
import type { InboxEvent, InboxListener } from "./inbox-event.ts";
import { EMPTY_COUNTS, type InboxItem } from "./inbox-item.ts";

/** That `rendered` says that a function made the title. */
const TITLE = 1;
const POSITION = { seq: 1, epoch: "e" };

describe("a listener that is shown items in a language", () => {
  let told: string[];
  let warned: string[];
  let rendered: PromiseWithResolvers<string>;
  let listener: InboxListener;
  let subscription: FeedSubscription;

  const types = defineTypes({
    slow: { title: async ({ locale }) => `${await rendered.promise} in ${locale}` },
    note: { title: "Note" },
  });
  const event = (type: string, title: string): InboxEvent => {
    const item = { type, title, message: "", url: null, data: {}, rendered: type === "slow" ? TITLE : null } as unknown as InboxItem;
    return { change: "created", item, count: 1, ...POSITION };
  };

  beforeEach(() => {
    told = [];
    warned = [];
    rendered = Promise.withResolvers();
    const ignore = () => {};
    const context = {
      types,
      clock: { now: () => 0, after: () => ignore },
      lines: { warn: (_: object, message: string) => void warned.push(message) },
      logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    };
    const own: InboxListener = {
      onEvent: ({ item }) => void told.push(item?.title ?? "no item"),
      onState: () => void told.push("state"),
    };
    subscription = followInLocale(context, { listener: own, locale: "de" }, (shown) => {
      listener = shown;
      return { ready: Promise.resolve(), close: () => undefined };
    });
  });

  test("is told at once what no function made", () => {
    listener.onEvent(event("note", "stored"));
    listener.onState(true, POSITION, EMPTY_COUNTS);
    expect(told).toEqual(["stored", "state"]);
  });

  test("is told everything in its order, however long a text takes, and takes no more until then", async () => {
    listener.onEvent(event("slow", "stored"));
    listener.onEvent(event("note", "later"));
    listener.onState(true, POSITION, null);
    const writable = listener.writable?.();
    expect(told).toEqual([]);
    rendered.resolve("Title");
    await writable;
    expect(told).toEqual(["Title in de", "later", "state"]);
    listener.onEvent(event("note", "at once again"));
    expect(told.at(-1)).toBe("at once again");
  });

  test("is shown the stored texts where a function fails, and the log says so", async () => {
    listener.onEvent(event("slow", "stored"));
    rendered.reject(new Error("no words"));
    await listener.writable?.();
    expect(told).toEqual(["stored"]);
    expect(warned).toEqual([expect.stringContaining("The stored texts stand in.")]);
  });

  test("is told nothing after the end", async () => {
    listener.onEvent(event("slow", "stored"));
    subscription.close();
    rendered.resolve("Title");
    await listener.writable?.();
    expect(told).toEqual([]);
  });
});

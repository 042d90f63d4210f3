import { expect, test } from "vitest";
import { eventAt } from "./event-at.ts";

test("an event that differs from the one before in anything has its own text", () => {
  const at = { epoch: "e", seq: 1 };
  const made = [
    eventAt("message", "a", at),
    eventAt("message", "a", { ...at }),
    eventAt("state", "a", at),
    eventAt("message", "a", { ...at, seq: 2 }),
    eventAt("message", "a", { ...at, rev: 3 }),
    eventAt("message", "a", { ...at, epoch: "f" }),
    eventAt("message", "b", at),
  ];
  const text = (event: string, id: string, data: string) => `event: ${event}\nid: ${id}\ndata: ${data}\n\n`;
  expect(made).toEqual([
    text("message", "e:1", "a"),
    text("message", "e:1", "a"),
    text("state", "e:1", "a"),
    text("message", "e:2", "a"),
    text("message", "e:1:3", "a"),
    text("message", "f:1", "a"),
    text("message", "e:1", "b"),
  ]);
});

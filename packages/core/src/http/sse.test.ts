import { expect, test } from "vitest";
import { sseEvent } from "./sse.ts";

test("an event that differs from the one before in anything has its own text", () => {
  const first = { event: "message", id: "e:1", data: "a" };
  const events = [first, { ...first }, { ...first, event: "state" }, { ...first, id: "e:2" }, { ...first, data: "b" }, first];
  expect(events.map(sseEvent)).toEqual(events.map(({ event, id, data }) => `event: ${event}\nid: ${id}\ndata: ${data}\n\n`));
});

test("every line of the data is a field of its own", () => {
  expect(sseEvent({ event: "message", id: "", data: "a\r\nb\rc\n" })).toBe("event: message\nid: \ndata: a\ndata: b\ndata: c\ndata: \n\n");
});

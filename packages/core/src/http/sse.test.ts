import { expect, test } from "vitest";
import { sseEvent } from "./sse.ts";

test("every line of the data is a field of its own", () => {
  expect(sseEvent({ event: "message", id: "", data: "a\r\nb\rc\n" })).toBe("event: message\nid: \ndata: a\ndata: b\ndata: c\ndata: \n\n");
});

import { describe, expect, test } from "vitest";
import { fromFetchRequest } from "./fetch.ts";

describe("the headers of a fetch Request", () => {
  const { headers } = fromFetchRequest(
    new Request("http://localhost/", {
      headers: [
        ["X-User", "ann"],
        ["Accept", "text/html"],
        ["accept", "text/plain"],
        ["cookie", "a=1"],
      ],
    }),
    { url: "/", mountPath: "" },
  );

  test("are read by their lowercase name, repeated ones joined", () => {
    expect(headers["x-user"]).toBe("ann");
    expect(headers.accept).toBe("text/html, text/plain");
  });

  test("are undefined where the request has none, whatever the name", () => {
    expect([headers["x-none"], headers["X-User"], headers[""], headers["a b"], headers.ü]).toEqual(Array(5).fill(undefined));
    expect(["x-user" in headers, "x-none" in headers, "a b" in headers]).toEqual([true, false, false]);
  });

  test("can be listed and copied", () => {
    const all = { accept: "text/html, text/plain", cookie: "a=1", "x-user": "ann" };
    expect(Object.entries(headers)).toEqual(Object.entries(all));
    expect({ ...headers }).toEqual(all);
    expect(JSON.stringify(headers)).toBe(JSON.stringify(all));
    expect(new Headers(headers as Record<string, string>).get("x-user")).toBe("ann");
  });

  test("are listed once each, even Set-Cookie, which Headers keep apart", () => {
    const request = {
      headers: new Headers([
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ]),
      method: "GET",
    } as Request;
    expect({ ...fromFetchRequest(request, { url: "/", mountPath: "" }).headers }).toEqual({ "set-cookie": "a=1, b=2" });
  });
});

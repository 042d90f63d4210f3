import { describe, expect, test } from "vitest";
import type { HttpRequest } from "./messages.ts";
import { readJson } from "./read-json.ts";

const nested = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;

/** A request whose body is still bytes, and one whose body the host has parsed. */
const ways = [
  ["bytes", (text: string) => ({ body: async () => new TextEncoder().encode(text) })],
  ["a parsed body", (text: string) => ({ parsedBody: { value: JSON.parse(text) as unknown }, body: async () => new Uint8Array() })],
] as const;

describe.each(ways)("readJson of %s", (_, bodyOf) => {
  const read = (text: string) => {
    const request: HttpRequest = { method: "POST", url: "/", headers: {}, ...bodyOf(text) };
    return readJson(request, 1024 * 1024);
  };

  test("101 levels are read, and one more is refused", async () => {
    expect(await read(`{"a":${nested(100)}}`)).toHaveProperty("a");
    await expect(read(`{"a":${nested(101)}}`)).rejects.toMatchObject({ code: "INVALID_JSON", message: /deeper than 100 levels/ });
  });

  test("brackets in texts, and lists side by side, do not count as levels", async () => {
    const text = JSON.stringify({
      open: "[{".repeat(200),
      quoted: `\\"${"[".repeat(200)}\\`,
      lists: Array.from({ length: 200 }, () => [[]]),
    });
    expect(await read(text)).toEqual(JSON.parse(text));
  });
});

describe("bodies with very many parts", () => {
  const read = (text: string) =>
    readJson({ method: "POST", url: "/", headers: {}, body: async () => new TextEncoder().encode(text) }, 1024 * 1024);
  const list = (count: number, one: (at: number) => string) => `[${Array.from({ length: count }, (_, at) => one(at)).join(",")}]`;

  test.each([
    ["20,001 members with a name", `{"a":${list(20_000, () => '{"a":1}')}}`],
    ["50,001 lists and objects", list(50_000, () => "[]")],
    ["120,001 texts", list(120_001, () => '""')],
  ])("%s are refused before they are parsed", async (what, text) => {
    const count = what.replace(",", "");
    await expect(read(text)).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE", message: expect.stringContaining(count) });
  });

  test("as many as are allowed are read, and those inside of texts do not count", async () => {
    const texts = [list(20_000, () => '{"a":1}'), list(49_999, () => "[]"), list(120_000, () => '""')];
    for (const text of [...texts, JSON.stringify({ a: ':[{"\\'.repeat(60_000) })]) {
      expect(await read(text)).toEqual(JSON.parse(text));
    }
  });
});

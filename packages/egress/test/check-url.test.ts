import { describe, expect, it } from "vitest";
import { createEgress } from "../src/index.ts";

const strict = createEgress();
const lenient = createEgress({ allowPrivate: true });

describe("checkUrl", () => {
  it.each(["https://hooks.example.com/in", "https://example.com:8443/a?b=c#d", "https://bücher.example/", "https://93.184.215.14/"])(
    "takes %s",
    (url) => {
      expect(strict.checkUrl(url)).toBeNull();
    },
  );

  it.each([
    ["http://example.com/", "must begin with https://"],
    ["file:///etc/passwd", "must begin with https://"],
    ["ftp://example.com/", "must begin with https://"],
    ["gopher://example.com/", "must begin with https://"],
    ["javascript:alert(1)", "must begin with https://"],
    ["https://user@example.com/", "must not contain a user name or password"],
    ["https://user:secret@example.com/", "must not contain a user name or password"],
    ["https://:secret@example.com/", "must not contain a user name or password"],
    ["not a url", "must not contain spaces or control characters"],
    ["https://exa\tmple.com/", "must not contain spaces or control characters"],
    ["https://example.com/\r\nX: y", "must not contain spaces or control characters"],
    ["example.com/in", "is not a URL"],
    ["https://", "is not a URL"],
    ["https://1.2.3.4.5/", "is not a URL"],
    ["", "is not a URL"],
    [`https://example.com/${"a".repeat(2_048)}`, "must have at most 2048 characters"],
  ])("row 39: refuses %s", (url, reason) => {
    expect(strict.checkUrl(url)).toBe(reason);
  });

  it.each([1, 21, 22, 23, 25, 53, 110, 143, 389, 445, 465, 587, 993, 1433, 3306, 5432, 6379, 9200, 11211, 27017])(
    "row 39: refuses port %i",
    (port) => {
      const reason = `must not use port ${port}; use 443, or one above 1023 that no other service is known for`;
      expect(strict.checkUrl(`https://example.com:${port}/`)).toBe(reason);
      expect(lenient.checkUrl(`http://127.0.0.1:${port}/`)).toBe(reason);
    },
  );

  it("answers the same however often, and after however many URLs, it is asked", () => {
    const urls = Array.from({ length: 1_200 }, (_, index) => `https://hooks.example.com/${index}`);
    for (const url of [...urls, ...urls]) {
      expect(strict.checkUrl(url)).toBeNull();
      expect(lenient.checkUrl(url)).toBeNull();
    }
    for (const url of ["http://127.0.0.1/", "http://127.0.0.1/"]) {
      expect(lenient.checkUrl(url)).toBeNull();
      expect(strict.checkUrl(url)).toBe("must begin with https://");
    }
  });

  it("row 39: accepts http, localhost and private addresses if private targets are allowed, and no other scheme", () => {
    for (const url of ["http://localhost:3000/", "http://127.0.0.1/", "http://10.0.0.1:8080/", "https://[::1]:8443/"]) {
      expect(lenient.checkUrl(url)).toBeNull();
    }
    expect(lenient.checkUrl("file:///etc/passwd")).toBe("must begin with https:// or http://");
  });
});

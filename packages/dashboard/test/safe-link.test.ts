import { expect, test } from "vitest";
import { safeLink } from "../page/state/safe-link.ts";

test.each([
  "javascript:window.hacked=3",
  "JaVaScRiPt:window.hacked=3",
  "data:text/html,<script>1</script>",
  " javascript:1",
  "//evil.test",
  "nothing",
])("row 21: %s, which an older version may have stored, becomes no link", (action_url) => {
  expect(safeLink({ url: action_url, data: { action_url } })).toBeNull();
});

test("row 21: a web address becomes a link, escaped", () => {
  const [shown, other] = ["https://example.com/?a=1&b=<2>", { action_url: "https://other.example/" }];
  expect(safeLink({ url: null, data: { action_url: shown } })).toBe("https://example.com/?a=1&b=%3C2%3E");
  expect(safeLink({ url: shown, data: other })).toBe("https://example.com/?a=1&b=%3C2%3E");
  expect(safeLink({ url: "/posts/7", data: other })).toBe("https://other.example/");
});

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
  expect(safeLink({ action_url })).toBeNull();
});

test("row 21: a web address becomes a link, escaped", () => {
  expect(safeLink({ action_url: "https://example.com/?a=1&b=<2>" })).toBe("https://example.com/?a=1&b=%3C2%3E");
});

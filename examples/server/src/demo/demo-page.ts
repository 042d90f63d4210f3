import { readFile } from "node:fs/promises";
import type { HttpResponse } from "@belfry/core/http";

/** Allows only the page's own files. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const DOCUMENT = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Belfry: a demo</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/demo/main.css">
</head>
<body>
<div id="app"><p role="status">Loading…</p></div>
<noscript><p>This page needs JavaScript.</p></noscript>
<script type="module" src="/demo/main.js"></script>
</body>
</html>
`;

/** The media types of the files that the document loads, by their paths. */
const TYPES = new Map([
  ["/demo/main.js", "text/javascript"],
  ["/demo/main.css", "text/css"],
]);

/**
 * Answers with the demo's page, or a file that it loads; null for any other path.
 *
 * @param directory where `scripts/build-page.ts` has put these files
 */
export async function demoPage(path: string, directory: URL): Promise<HttpResponse | null> {
  if (path === "/") {
    return { status: 200, headers: { ...HEADERS, "content-type": "text/html; charset=utf-8" }, body: DOCUMENT };
  }
  const type = TYPES.get(path);
  if (type === undefined) {
    return null;
  }
  const body = await readFile(new URL(path.slice("/demo/".length), directory));
  return { status: 200, headers: { ...HEADERS, "content-type": `${type}; charset=utf-8` }, body };
}

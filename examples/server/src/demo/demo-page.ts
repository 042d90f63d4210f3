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

/** The files that the document loads, by their paths. A service worker is for the addresses beside it, and below: this one is for all. */
const FILES = new Map([
  ["/demo/main.js", { name: "main.js", type: "text/javascript" }],
  ["/demo/main.css", { name: "main.css", type: "text/css" }],
  ["/belfry-worker.js", { name: "worker.js", type: "text/javascript" }],
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
  const file = FILES.get(path);
  if (file === undefined) {
    return null;
  }
  const body = await readFile(new URL(file.name, directory));
  return { status: 200, headers: { ...HEADERS, "content-type": `${file.type}; charset=utf-8` }, body };
}

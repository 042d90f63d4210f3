import type { HttpResponse } from "@belfry/core/http";
import { assetUrl } from "./assets.ts";
import { PRELOADED } from "./generated-assets.ts";

/** Allows only the page's own files, no code or style inside the document, and no frames around it. A frame inside shows mails: see `showMail`. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Answers with the page. It is the same for everybody, and asks the API for its data. */
export function page(): HttpResponse {
  const body = `<div id="app"><p class="boot" role="status">Loading…</p></div>
<noscript><p class="boot">This page needs JavaScript.</p></noscript>
<script type="module" src="${assetUrl("app.js")}"></script>`;
  return { status: 200, headers: HEADERS, body: documentOf(body) };
}

/** Answers somebody who may not see the page: why not, and what to do about it. */
export function deniedPage({ challenge, isLocalOnly }: { challenge: string | undefined; isLocalOnly: boolean }): HttpResponse {
  const why = isLocalOnly
    ? `<p>Until it is told whom to let in, the dashboard answers requests from its own machine only.</p>
<p>Open it there, at <code>localhost</code>, or give it a rule:</p>
<pre><code>dashboard(notifications, {
  authorize: (request) =&gt; ({ read: true, act: false, actor: "ann" }),
})</code></pre>`
    : "<p>You are not allowed to see this dashboard. Log in to the application it belongs to, or ask whoever looks after it.</p>";
  const body = `<main class="denied"><h1>No access</h1>\n${why}\n</main>`;
  return challenge === undefined
    ? { status: 403, headers: HEADERS, body: documentOf(body) }
    : { status: 401, headers: { ...HEADERS, "www-authenticate": challenge }, body: documentOf(body) };
}

/** Answers if `authorize` failed, or after too many wrong passwords, with the status and `Retry-After` of the API's answer. */
export function failedPage({ status, headers }: HttpResponse): HttpResponse {
  const retryAfter = headers["retry-after"];
  const why =
    status === 429
      ? "<p>There were too many wrong passwords from your address. Wait a minute, and load this page anew.</p>"
      : "<p>Who may see this dashboard could not be found out. The server's log says why. Load this page anew in a moment.</p>";
  const body = `<main class="denied"><h1>Not available</h1>\n${why}\n</main>`;
  return { status, headers: { ...HEADERS, ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }) }, body: documentOf(body) };
}

function documentOf(body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Belfry</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="icon" type="image/svg+xml" href="${assetUrl("icon.svg")}">
${PRELOADED.map((part) => `<link rel="modulepreload" href="${assetUrl(part)}">\n`).join("")}
<link rel="stylesheet" href="${assetUrl("style.css")}">
</head>
<body>
${body}
</body>
</html>
`;
}

import type { AttemptExchange, KeptMessage } from "@belfry/core";
import type { Json } from "../../src/wire.ts";

/** What an attempt over HTTP sent, and what came back, as both were kept. */
export function Exchange({ exchange: { request, response } }: { readonly exchange: Json<AttemptExchange> }) {
  return (
    <details>
      <summary>What was sent, and what came back</summary>
      <h3>Sent</h3>
      <pre>{written(`${request.method} ${request.url}`, request)}</pre>
      <h3>Came back</h3>
      {response === null ? <p class="muted">Nothing.</p> : <pre>{written(`HTTP ${response.status}`, response)}</pre>}
      <p class="muted">Values that may be credentials are ***.</p>
    </details>
  );
}

function written(first: string, { headers, body, isCut }: Json<KeptMessage>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [first, ...lines, "", `${body}${isCut ? "…" : ""}`].join("\n");
}

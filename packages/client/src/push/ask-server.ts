import type { KeptDevice } from "./kept-device.ts";

/** How long an answer may take. */
const PATIENCE_MS = 10_000;

/** Sends JSON to the server, as the user whom cookies name. Null if only pages may ask, or the server did not do it. */
export async function askServer({ asks }: Pick<KeptDevice, "asks">, path: string, body: object): Promise<unknown> {
  if (asks === null) {
    return null;
  }
  try {
    const response = await fetch(asks.url.replace(/\/$/, "") + path, {
      method: "POST",
      credentials: asks.credentials,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return response.ok ? await response.json() : null;
  } catch {
    // There is no network, or the user has signed out: a page does it later.
    return null;
  }
}

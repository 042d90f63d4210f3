import { ApiFailure, apiUrl, messageOf } from "../state/api.ts";

const BROKEN_OFF = "The server cannot be reached, or its answer broke off. Try again.";

/** The last line of an answer that is whole. */
const END = '{"record":"end"}\n';

/** Sends a POST request whose answer is lines of JSON, and saves them as a file once all are there. @throws ApiFailure */
export async function download(path: string, body: object, name: string): Promise<void> {
  const headers = { "content-type": "application/json", "x-belfry-dashboard": "1" };
  const text = await linesOf(apiUrl(path), { method: "POST", headers, body: JSON.stringify(body) });
  if (!text.endsWith(END)) {
    throw new ApiFailure(BROKEN_OFF, 0);
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function linesOf(url: string, init: RequestInit): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, init);
    if (response.ok) {
      return await response.text();
    }
  } catch {
    throw new ApiFailure(BROKEN_OFF, 0);
  }
  throw new ApiFailure(await messageOf(response), response.status);
}

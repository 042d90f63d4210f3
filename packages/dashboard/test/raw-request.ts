import { request as nodeRequest } from "node:http";

/** A whole answer. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
  json(): unknown;
}

/** Sends a request with any headers, even those that `fetch` does not let callers set. */
export function request(
  url: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: Readonly<Record<string, string>>; body?: string } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const asked = nodeRequest(url, { method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => void chunks.push(chunk));
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text, json: () => JSON.parse(text) });
      });
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

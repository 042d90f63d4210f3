/** Sends a server `count` requests over kept connections. Tasks: `{ url, targets, count }`; answers `{ requests, bytes }`. */
import { Agent, get } from "node:http";

const CONNECTIONS = 32;
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

interface Task {
  readonly url: string;
  /** The paths to ask for in turn, each with headers of its own. */
  readonly targets: readonly { readonly path: string; readonly headers: Record<string, string> }[];
  readonly count: number;
}

function ask(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on("end", () =>
        response.statusCode === 200 ? resolve(bytes) : reject(new Error(`${url} answered ${response.statusCode}.`)),
      );
    }).on("error", reject);
  });
}

process.on("message", async ({ url, targets, count }: Task) => {
  let [left, bytes] = [count, 0];
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const target = targets[left % targets.length];
      const got = await ask(`${url}${target?.path}`, target?.headers ?? {});
      bytes += got;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  process.send?.({ requests: count, bytes });
});

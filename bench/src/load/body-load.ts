/**
 * Sends bodies to a server, one at a time. Tasks: `{ url, kind, name, headers }`; answers `{ status, bytes }`. The bodies are made
 * here, so that making them is not measured with the server.
 */
import { Agent, request } from "node:http";
import { type BodyKind, bodiesFor } from "../stalls/bodies.ts";

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

interface Task {
  readonly url: string;
  readonly kind: BodyKind;
  readonly name: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The last body, which may be asked for again. */
let last = { of: "", body: "" };

function bodyOf({ kind, name }: Task): string {
  const of = `${kind} ${name}`;
  if (last.of !== of) {
    last = { of, body: bodiesFor(kind)[name]?.() ?? "" };
  }
  return last.body;
}

process.on("message", (task: Task) => {
  const body = bodyOf(task);
  const headers = { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)), ...task.headers };
  const asked = request(task.url, { method: task.method, agent, headers }, (response) => {
    let bytes = 0;
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    response.on("end", () => process.send?.({ status: response.statusCode, bytes }));
  });
  asked.on("error", () => process.send?.({ status: 0, bytes: 0 }));
  asked.end(body);
});

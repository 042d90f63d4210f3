/**
 * Receives webhooks and asks for them, as raw sockets, on one clock.
 *
 * Tasks: `{ listen: {} }`, answered with the ports `{ live, silent }`; `{ single: { port, posts } }`, one post after another, answered
 * with `{ waitsMs }` from each post to its webhook; `{ burst: { port, posts, expected } }`, all at once, answered with
 * `{ tookMs }` from the first post to the last of the expected webhooks.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

interface Posting {
  readonly port: number;
  /** Whole requests. */
  readonly posts: readonly string[];
}

interface Task {
  readonly listen?: object;
  readonly single?: Posting;
  readonly burst?: Posting & { readonly expected: number };
}

const HEAD_END = "\r\n\r\n";
const CONNECTIONS = 32;
const PATIENCE_MS = 90_000;
const ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

let received = 0;
let onReceived: () => void = () => {};

/** Calls back for every whole HTTP message on a socket. */
function onMessages(socket: Socket, callback: (head: string) => void): void {
  let text = "";
  socket.on("data", (part) => {
    text += part.toString("latin1");
    for (;;) {
      const headEnd = text.indexOf(HEAD_END);
      if (headEnd < 0) {
        return;
      }
      const head = text.slice(0, headEnd);
      const end = headEnd + HEAD_END.length + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (text.length < end) {
        return;
      }
      text = text.slice(end);
      callback(head);
    }
  });
  socket.on("error", () => {});
}

async function listen(accept: (socket: Socket) => void): Promise<number> {
  const server = createServer({ noDelay: true }, accept).listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Resolves once `total` webhooks came in all. */
function arrived(total: number): Promise<void> {
  const tooLate = setTimeout(() => {
    throw new Error(`${received} of ${total} webhooks came.`);
  }, PATIENCE_MS);
  return new Promise((resolve) => {
    onReceived = () => {
      if (received >= total) {
        clearTimeout(tooLate);
        resolve();
      }
    };
    onReceived();
  });
}

const clients = new Map<number, readonly Poster[]>();

/** One kept connection to the service: a post at a time. */
class Poster {
  readonly #socket: Socket;
  #resolve: () => void = () => {};

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    onMessages(this.#socket, (head) => {
      if (!head.startsWith("HTTP/1.1 201 ")) {
        throw new Error(`A post was answered: ${head}`);
      }
      this.#resolve();
    });
    // Else a post would wait for its answer for ever.
    this.#socket.on("close", () => {
      throw new Error("The service closed a connection.");
    });
  }

  post(request: string): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#socket.write(request);
    });
  }
}

function postersOf(port: number): readonly Poster[] {
  const posters = clients.get(port) ?? Array.from({ length: CONNECTIONS }, () => new Poster(port));
  clients.set(port, posters);
  return posters;
}

async function single({ port, posts }: Posting): Promise<number[]> {
  const [poster] = postersOf(port);
  const waitsMs: number[] = [];
  for (const post of posts) {
    const startedMs = performance.now();
    const webhook = arrived(received + 1).then(() => performance.now() - startedMs);
    await poster?.post(post);
    waitsMs.push(await webhook);
  }
  return waitsMs;
}

async function burst({ port, posts, expected }: NonNullable<Task["burst"]>): Promise<number> {
  const all = arrived(received + expected);
  const startedMs = performance.now();
  let next = 0;
  await Promise.all(
    postersOf(port).map(async (poster) => {
      while (next < posts.length) {
        next += 1;
        await poster.post(posts[next - 1] ?? "");
      }
    }),
  );
  await all;
  return performance.now() - startedMs;
}

process.on("message", async (task: Task) => {
  if (task.listen) {
    const live = await listen((socket) =>
      onMessages(socket, () => {
        received += 1;
        socket.write(ANSWER);
        onReceived();
      }),
    );
    // It accepts connections, reads, and never answers.
    const silent = await listen((socket) => void socket.on("error", () => {}).resume());
    process.send?.({ live, silent });
  } else if (task.single) {
    process.send?.({ waitsMs: await single(task.single) });
  } else if (task.burst) {
    process.send?.({ tookMs: await burst(task.burst) });
  }
});

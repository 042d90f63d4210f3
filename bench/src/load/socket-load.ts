/**
 * Keeps many WebSockets open. Tasks: `{ open: { url, count } }` opens more, under a name; `{ expect: { name, messages } }` resolves once all
 * sockets of that name got as many messages. Answers `{ sockets }` or `{ received }`.
 */
import { WebSocket } from "ws";

interface Task {
  readonly open?: { readonly name: string; readonly url: string; readonly count: number };
  readonly expect?: { readonly name: string; readonly messages: number };
}

class Crowd {
  received = 0;
  readonly #waiting: { readonly total: number; readonly resolve: () => void }[] = [];

  got(): void {
    this.received += 1;
    const [first] = this.#waiting;
    if (first && this.received >= first.total) {
      this.#waiting.shift();
      first.resolve();
    }
  }

  until(total: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.received >= total) {
        resolve();
      } else {
        this.#waiting.push({ total, resolve });
      }
    });
  }
}

const crowds = new Map<string, Crowd>();

async function open({ name, url, count }: Required<Task>["open"]): Promise<void> {
  const crowd = new Crowd();
  crowds.set(name, crowd);
  for (let opened = 0; opened < count; opened += 50) {
    await Promise.all(
      Array.from({ length: Math.min(50, count - opened) }, () => {
        const socket = new WebSocket(url);
        socket.on("message", () => crowd.got());
        return new Promise((resolve, reject) => {
          socket.once("open", resolve);
          socket.once("error", reject);
        });
      }),
    );
  }
}

process.on("message", async (task: Task) => {
  if (task.open) {
    await open(task.open);
    process.send?.({ sockets: task.open.count });
  } else if (task.expect) {
    const crowd = crowds.get(task.expect.name);
    await crowd?.until(task.expect.messages);
    process.send?.({ received: crowd?.received ?? 0 });
  }
});

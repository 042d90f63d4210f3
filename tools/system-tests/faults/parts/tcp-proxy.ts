import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** One connection through the proxy. */
interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  isSilent: boolean;
}

/**
 * Stands between two processes in the place of a network that fails: it passes bytes on at once or late, resets
 * connections, or leaves them open and passes nothing on any more, so that neither side hears of it.
 */
export class TcpProxy {
  readonly #target: URL;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #delayMs = 0;

  /** @param target the URL behind it, with a port */
  constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((near) => this.#join(near));
  }

  /** Starts it and resolves with the target's URL through it. */
  async listen(cleanup: (task: () => unknown) => void): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    cleanup(() => {
      this.reset();
      this.#server.close();
    });
    const url = new URL(this.#target);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** Passes bytes on this much later from now on. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** Resets every connection. */
  reset(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** Leaves the open connections open, and passes nothing on any more. New connections work. Returns how many they are. */
  silence(): number {
    for (const pair of this.#pairs) {
      pair.isSilent = true;
    }
    return this.#pairs.size;
  }

  #join(near: Socket): void {
    const far = connect(Number(this.#target.port), this.#target.hostname);
    const pair: Pair = { near, far, isSilent: false };
    this.#pairs.add(pair);
    this.#pass(near, far, pair);
    this.#pass(far, near, pair);
  }

  #pass(from: Socket, to: Socket, pair: Pair): void {
    const later = (task: () => void) => {
      if (!pair.isSilent) {
        setTimeout(() => !pair.isSilent && task(), this.#delayMs);
      }
    };
    from.on("data", (chunk) => later(() => to.write(chunk)));
    from.on("end", () => later(() => to.end()));
    // An error also shows as a close.
    from.on("error", () => {});
    from.on("close", () => {
      later(() => to.destroy());
      if (!pair.isSilent || to.destroyed) {
        this.#pairs.delete(pair);
      }
    });
  }
}

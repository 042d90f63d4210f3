/** How many sockets each address has open. */
export class SocketCounts {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  /** @param max how many one address may have */
  constructor(max: number) {
    this.#max = max;
  }

  isFull(address: string): boolean {
    return (this.#counts.get(address) ?? 0) >= this.#max;
  }

  /** Counts a socket; the function that it answers takes it off again. */
  add(address: string): () => void {
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
    return () => {
      const left = (this.#counts.get(address) ?? 1) - 1;
      if (left > 0) {
        this.#counts.set(address, left);
      } else {
        this.#counts.delete(address);
      }
    };
  }
}

const PRIVATE =
  /^(?:::ffff:)?(?:127\.|10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.)|^::1$|^f[cd][0-9a-f]{2}:|^fe[89ab][0-9a-f]:/i;

/** Whether an address is of a private network or this machine: what connects from there is a proxy that stands for many. */
export function isPrivateAddress(address: string): boolean {
  return PRIVATE.test(address);
}

import pg from "pg";

const STEP_MS = 5;
const PATIENCE_MS = 5_000;

/** Listens like another process, and counts the signals in the notifications that arrive: a payload may carry several. */
export class SignalCounter {
  readonly #client: pg.Client;
  readonly #signals = new Map<string, number>();

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async listen(url: string, channels: readonly string[]): Promise<SignalCounter> {
    const counter = new SignalCounter(new pg.Client({ connectionString: url }));
    const client = counter.#client;
    client.on("error", () => {});
    await client.connect();
    for (const channel of channels) {
      await client.query(`LISTEN "${channel}"`);
    }
    client.on("notification", ({ channel, payload = "[]" }) => {
      const signals = (JSON.parse(payload) as unknown[]).length - 1;
      counter.#signals.set(channel, (counter.#signals.get(channel) ?? 0) + signals);
    });
    return counter;
  }

  /** How many signals came on a channel, once no more are on their way. */
  async settled(channel: string, expected: number): Promise<number> {
    for (let waitedMs = 0; waitedMs < PATIENCE_MS && (this.#signals.get(channel) ?? 0) < expected; waitedMs += STEP_MS) {
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
    return this.#signals.get(channel) ?? 0;
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}

import { expectDocumented } from "./documented.ts";
import { Received, type ReceivedFrame } from "./socket-client.ts";

/** A real SSE client that reads the wire itself, so that a test sees ids and event names. */
export class StreamClient {
  readonly received = new Received();
  readonly events: { event: string; id: string }[] = [];
  status = 0;
  headers: Response["headers"] = new Headers();
  ended = false;
  readonly #abort = new AbortController();

  /** Opens the stream; resolves once the response's head is there. */
  async open(url: string, headers: Readonly<Record<string, string>>): Promise<this> {
    const response = await fetch(url, { headers, signal: this.#abort.signal });
    this.status = response.status;
    this.headers = response.headers;
    expectDocumented({ method: "GET", url, headers }, { status: response.status, headers: response.headers });
    void this.#read(response);
    return this;
  }

  /** Breaks the connection. */
  drop(): void {
    this.#abort.abort();
  }

  async #read(response: Response): Promise<void> {
    let text = "";
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        const blocks = text.split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) {
          this.#block(block);
        }
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) {
        this.received.add({ type: "stream broken", error: String(error) });
      }
    }
    this.ended = true;
    this.received.changed();
  }

  #block(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split("\n")) {
      const at = line.indexOf(":");
      const name = line.slice(0, at);
      const value = line.slice(at + 1).trimStart();
      fields.set(name, name === "data" && fields.has(name) ? `${fields.get(name)}\n${value}` : value);
    }
    const data = fields.get("data");
    if (data !== undefined) {
      this.events.push({ event: fields.get("event") ?? "", id: fields.get("id") ?? "" });
      this.received.add(JSON.parse(data) as ReceivedFrame);
    }
  }
}

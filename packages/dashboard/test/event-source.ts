import { request } from "node:http";

/** One Server-Sent Event. */
export interface ReceivedEvent {
  /** Empty if it has none. */
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
}

/** A live stream from its reader's side. */
export interface EventReader {
  readonly events: readonly ReceivedEvent[];
  readonly isEnded: () => boolean;
  close(): void;
}

/** Follows a stream of Server-Sent Events; starts after `lastId` if given. */
export async function readEvents(url: string, lastId?: string): Promise<EventReader> {
  const events: ReceivedEvent[] = [];
  let isEnded = false;
  let text = "";
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: lastId === undefined ? {} : { "last-event-id": lastId }, agent: false }, (answer) => {
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => {
        text += chunk;
        const blocks = text.split("\n\n");
        text = blocks.pop() ?? "";
        events.push(...blocks.flatMap(parse));
      });
      answer.on("close", () => {
        isEnded = true;
      });
      answer.on("error", () => {
        isEnded = true;
      });
      resolve({ events, isEnded: () => isEnded, close: () => void asked.destroy() });
    });
    asked.on("error", reject);
    asked.end();
  });
}

function parse(block: string): ReceivedEvent[] {
  const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
  const [name, data] = [fields.get("event"), fields.get("data")];
  return name === undefined || data === undefined ? [] : [{ id: fields.get("id") ?? "", name, data: JSON.parse(data) }];
}

import type { DeliveryTask, JsonObject } from "@belfry/core";

/** What a push says of a notification. */
export interface PushContent {
  readonly title: string;
  readonly message: string;
  readonly data: JsonObject;
}

/** A message that fits, and a note on what was left out of it; null for nothing. */
export interface Fitted<Message> {
  readonly message: Message;
  readonly text: string;
  readonly note: string | null;
}

const SHORTENED = "…";
/** A title stays readable, whatever else is cut. */
const TITLE_CHARACTERS = 200;

/**
 * Makes a message of a notification that fits into so many bytes of JSON: at first without its data, which clients then read by the
 * id, then with less of its text.
 */
export function fitted<Message extends object>(
  { title, message, data }: Pick<DeliveryTask, "title" | "message" | "data">,
  maxBytes: number,
  make: (content: PushContent) => Message,
): Fitted<Message> {
  const whole = made(make, { title, message, data });
  if (whole.bytes <= maxBytes) {
    return { ...whole, note: null };
  }
  const without = made(make, { title, message, data: {} });
  const hasData = Object.keys(data).length > 0;
  const limits = `${whole.bytes} bytes do not fit into ${maxBytes}`;
  if (without.bytes <= maxBytes) {
    return { ...without, note: `The data was left out: ${limits}.` };
  }
  const short = title.length > TITLE_CHARACTERS ? cutTo(title, TITLE_CHARACTERS) : title;
  // Each character of JSON has a byte at least, and a control character six: halving finds the longest that fits.
  let [fits, tooLong] = [0, message.length];
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2);
    const { bytes } = made(make, { title: short, message: cutTo(message, middle), data: {} });
    [fits, tooLong] = bytes <= maxBytes ? [middle, tooLong] : [fits, middle];
  }
  const cut = made(make, { title: short, message: cutTo(message, fits), data: {} });
  return { ...cut, note: `${hasData ? "The data was left out, and the text was" : "The text was"} cut: ${limits}.` };
}

function made<Message extends object>(make: (content: PushContent) => Message, content: PushContent) {
  const message = make(content);
  const text = JSON.stringify(message);
  return { message, text, bytes: Buffer.byteLength(text) };
}

/** The beginning of a text, which says that it is one. It ends between characters. */
function cutTo(text: string, length: number): string {
  return `${text.slice(0, length).replace(/[\ud800-\udbff]$/, "")}${SHORTENED}`;
}

/** A connection that frames are gathered for. */
export interface FrameSink {
  /** The frames handed over since the last flush; null for none. */
  gathered: Frames | null;
  /** Writes the bytes of all of them at once. */
  write(bytes: Buffer): void;
}

/**
 * Frames in their order. Connections that get the same frames share them, and the bytes of all: each connection only goes
 * from one of these to the next.
 */
export class Frames {
  /** The number of their bytes. */
  readonly length: number;
  readonly #frame: Buffer;
  readonly #before: Frames | null;
  readonly #next = new Map<string, Frames>();
  /** The text that came next for the last connection, which mostly comes next for the others, too. */
  #lastText: string | null = null;
  #last: Frames | null = null;
  #bytes: Buffer | null = null;

  constructor(frame: Buffer, before: Frames | null) {
    this.length = (before?.length ?? 0) + frame.length;
    this.#frame = frame;
    this.#before = before;
  }

  /** These frames with one more, for `text`. */
  with(text: string, frameOf: (text: string) => Buffer): Frames {
    if (this.#last !== null && this.#lastText === text) {
      return this.#last;
    }
    const next = this.#next.get(text) ?? new Frames(frameOf(text), this);
    this.#next.set(text, next);
    this.#lastText = text;
    this.#last = next;
    return next;
  }

  /** The bytes of all. */
  get bytes(): Buffer {
    this.#bytes ??= this.#before === null || this.#before.length === 0 ? this.#frame : this.#joined();
    return this.#bytes;
  }

  #joined(): Buffer {
    const parts: Buffer[] = [];
    for (let at: Frames | null = this; at !== null; at = at.#before) {
      parts.push(at.#frame);
    }
    return Buffer.concat(parts.reverse(), this.length);
  }
}

const NO_BYTES = Buffer.alloc(0);

/**
 * Gathers the texts sent to many connections in one turn of the event loop. A text for many of them is framed once. Each
 * gets one write per turn, because writing is the largest cost of sending to many connections.
 */
export class FrameQueue {
  readonly #frameOf: (text: string) => Buffer;
  readonly #framed = new Map<string, Buffer>();
  #none = new Frames(NO_BYTES, null);
  #waiting: FrameSink[] = [];

  /** @param frameOf puts a text into the bytes of its connection, such as {@link textFrame} */
  constructor(frameOf: (text: string) => Buffer) {
    this.#frameOf = (text) => {
      const frame = this.#framed.get(text) ?? frameOf(text);
      this.#framed.set(text, frame);
      return frame;
    };
  }

  /** Frames `text` for a sink. Its frames are written when the turn ends. */
  add(sink: FrameSink, text: string): void {
    if (sink.gathered === null) {
      if (this.#waiting.length === 0) {
        process.nextTick(() => this.#flush());
      }
      this.#waiting.push(sink);
    }
    sink.gathered = (sink.gathered ?? this.#none).with(text, this.#frameOf);
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#framed.clear();
    this.#none = new Frames(NO_BYTES, null);
    for (const sink of waiting) {
      writeGathered(sink);
    }
  }
}

/** Writes what a sink has gathered, if there is any. */
export function writeGathered(sink: FrameSink): void {
  const { gathered } = sink;
  if (gathered !== null) {
    sink.gathered = null;
    sink.write(gathered.bytes);
  }
}

const FINAL_TEXT = 0x81;
const LENGTH_IN_16_BITS = 126;
const LENGTH_IN_64_BITS = 127;

/** One unmasked text message in one frame (RFC 6455, 5.2). */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headBytes = length < LENGTH_IN_16_BITS ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headBytes + length);
  frame[0] = FINAL_TEXT;
  if (headBytes === 2) {
    frame[1] = length;
  } else if (headBytes === 4) {
    frame[1] = LENGTH_IN_16_BITS;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_IN_64_BITS;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headBytes);
  return frame;
}

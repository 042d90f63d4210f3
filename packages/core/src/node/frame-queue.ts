/** A connection that frames are gathered for. */
export interface FrameSink {
  /**
   * The place of its frames among those that its {@link FrameQueue} has gathered; 0 for none. It is a number, since the collector of garbage
   * has to look at every old object that holds a new one.
   */
  gathered: number;
  /** Writes the bytes of all of them at once. */
  write(bytes: Buffer): void;
}

/**
 * Frames in their order. Connections that get the same frames share them, and the bytes of all: each connection only goes
 * from one of these to the next.
 */
class Frames {
  /** Where they are among those of their queue. */
  readonly place: number;
  /** The number of their bytes. */
  readonly length: number;
  readonly #frame: Buffer;
  readonly #before: Frames | null;
  readonly #next = new Map<string, Frames>();
  /** The text that came next for the last connection, which mostly comes next for the others, too. */
  #lastText: string | null = null;
  #last: Frames | null = null;
  #bytes: Buffer | null = null;

  constructor(place: number, frame: Buffer, before: Frames | null) {
    this.place = place;
    this.length = (before?.length ?? 0) + frame.length;
    this.#frame = frame;
    this.#before = before;
  }

  /** These frames with one more, for `text`; `made` makes them if they are new. */
  with(text: string, made: (text: string, before: Frames) => Frames): Frames {
    if (this.#last !== null && this.#lastText === text) {
      return this.#last;
    }
    const next = this.#next.get(text) ?? made(text, this);
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
  /** Makes the frames of a text after others. */
  readonly #made: (text: string, before: Frames) => Frames;
  readonly #framed = new Map<string, Buffer>();
  /** All that is gathered, by its place. */
  #gathered: Frames[] = [new Frames(0, NO_BYTES, null)];
  #waiting: FrameSink[] = [];

  /** @param frameOf puts a text into the bytes of its connection, such as {@link textFrame} */
  constructor(frameOf: (text: string) => Buffer) {
    this.#made = (text, before) => {
      const frame = this.#framed.get(text) ?? frameOf(text);
      this.#framed.set(text, frame);
      const frames = new Frames(this.#gathered.length, frame, before);
      this.#gathered.push(frames);
      return frames;
    };
  }

  /** Frames `text` for a sink. Its frames are written when the turn ends. */
  add(sink: FrameSink, text: string): void {
    if (sink.gathered === 0) {
      if (this.#waiting.length === 0) {
        this.#flushSoon();
      }
      this.#waiting.push(sink);
    }
    sink.gathered = this.#of(sink).with(text, this.#made).place;
  }

  /** The number of bytes that a sink has gathered. */
  lengthOf(sink: FrameSink): number {
    return this.#of(sink).length;
  }

  /** Writes what a sink has gathered, if there is any, before the turn ends. */
  write(sink: FrameSink): void {
    if (sink.gathered !== 0) {
      const { bytes } = this.#of(sink);
      sink.gathered = 0;
      sink.write(bytes);
    }
  }

  #of({ gathered }: FrameSink): Frames {
    return this.#gathered[gathered] as Frames;
  }

  /** It stands alone: what its function needs would be made for each text, too. */
  #flushSoon(): void {
    process.nextTick(() => this.#flush());
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    let written = 0;
    try {
      for (const sink of waiting) {
        written += 1;
        this.write(sink);
      }
    } finally {
      this.#end(waiting.slice(written));
    }
  }

  /** @param left those that still have to be written, since a connection of the host threw something: their places have to stay */
  #end(left: readonly FrameSink[]): void {
    if (left.length > 0) {
      this.#waiting = [...left, ...this.#waiting];
      this.#flushSoon();
    } else if (this.#waiting.length === 0) {
      this.#framed.clear();
      this.#gathered = [new Frames(0, NO_BYTES, null)];
    }
    // A sink that got a text while others were written has its place until the next flush.
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

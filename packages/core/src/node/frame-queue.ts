/** Writes the bytes gathered for one connection. */
export interface FrameSink {
  /** Frames handed over since the last flush. */
  readonly frames: Buffer[];
  /** Writes the bytes of all of them at once. */
  write(bytes: Buffer): void;
}

/**
 * Gathers the texts sent to many connections in one turn of the event loop. A text for many of them is framed once. Each
 * gets one write per turn, because writing is the largest cost of sending to many connections.
 */
export class FrameQueue {
  readonly #frameOf: (text: string) => Buffer;
  readonly #framed = new Map<string, Buffer>();
  #waiting: FrameSink[] = [];

  /** @param frameOf puts a text into the bytes of its connection, such as {@link textFrame} */
  constructor(frameOf: (text: string) => Buffer) {
    this.#frameOf = frameOf;
  }

  /** Frames `text` for a sink and returns the number of bytes. They are written when the turn ends. */
  add(sink: FrameSink, text: string): number {
    if (this.#waiting.length === 0) {
      process.nextTick(() => this.#flush());
    }
    let frame = this.#framed.get(text);
    if (frame === undefined) {
      frame = this.#frameOf(text);
      this.#framed.set(text, frame);
    }
    if (sink.frames.length === 0) {
      this.#waiting.push(sink);
    }
    sink.frames.push(frame);
    return frame.length;
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#framed.clear();
    let last: readonly Buffer[] = [];
    let bytes = Buffer.alloc(0);
    for (const sink of waiting) {
      const frames = sink.frames.splice(0);
      if (!sameFrames(frames, last)) {
        last = frames;
        bytes = frames.length === 1 ? (frames[0] as Buffer<ArrayBuffer>) : Buffer.concat(frames);
      }
      if (frames.length > 0) {
        sink.write(bytes);
      }
    }
  }
}

function sameFrames(left: readonly Buffer[], right: readonly Buffer[]): boolean {
  return left.length === right.length && left.every((frame, at) => frame === right[at]);
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

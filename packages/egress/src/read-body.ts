import type { IncomingMessage } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

/** A body, as far as it was read. */
export interface ReadBody {
  readonly bytes: Uint8Array;
  /** `over`: there was more than allowed. `broken`: it ended early, or its encoding could not be read. */
  readonly end: "complete" | "over" | "broken";
}

/** Reads at most `maxBytes` of an answer, counted before and after decoding, so a small bomb cannot grow. */
export async function readBody(response: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  const source = decoded(response, maxBytes);
  if (!source) {
    response.destroy();
    return { bytes: new Uint8Array(), end: "broken" };
  }
  const chunks: Uint8Array[] = [];
  let room = maxBytes;
  let end: ReadBody["end"] = "complete";
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, room));
      room -= chunk.length;
      if (room < 0) {
        end = "over";
        break;
      }
    }
  } catch (error) {
    end = error instanceof TooManyBytes ? "over" : "broken";
  }
  return { bytes: Buffer.concat(chunks), end };
}

/** Says that the bytes before decoding were too many. */
class TooManyBytes extends Error {}

/** The decoded body, or null for an encoding that was never asked for and is not known. */
function decoded(response: IncomingMessage, maxBytes: number): Readable | null {
  const decoder = decoderFor(response.headers["content-encoding"]);
  if (decoder === "identity") {
    return response;
  }
  if (decoder === null) {
    return null;
  }
  // The reader sees every error through the decoder; the callback only keeps it from being thrown.
  return pipeline(response, limited(maxBytes), decoder, () => undefined);
}

function decoderFor(encoding: string | undefined) {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case "":
    case "identity":
      return "identity";
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    default:
      return null;
  }
}

function limited(maxBytes: number) {
  return async function* (source: AsyncIterable<Buffer>) {
    let read = 0;
    for await (const chunk of source) {
      read += chunk.length;
      if (read > maxBytes) {
        throw new TooManyBytes();
      }
      yield chunk;
    }
  };
}

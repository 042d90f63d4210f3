import type { IncomingMessage } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

/** The part of a body that was read. */
export interface ReadBody {
  readonly bytes: Uint8Array;
  /** `over`: there was more than allowed. `broken`: it ended early, or its encoding could not be read. */
  readonly end: "complete" | "over" | "broken";
}

/** Reads at most `maxBytes` of an answer, counted before and after decoding, so that a small bomb cannot grow. */
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

/** There were too many bytes before decoding. */
class TooManyBytes extends Error {}

/** The decoded body; null for an unknown encoding, which was never asked for. */
function decoded(response: IncomingMessage, maxBytes: number): Readable | null {
  const decoder = decoderFor(response.headers["content-encoding"]);
  if (decoder === "identity") {
    return response;
  }
  if (decoder === null) {
    return null;
  }
  // The reader gets every error from the decoder; this callback only keeps the pipeline from throwing it.
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

/** The provider's answer is longer than any answer that the processor keeps. */
export class AnswerTooLargeError extends Error {
  override readonly name = "AnswerTooLargeError";
}

/**
 * Makes a `fetch` that follows no redirect, since that could send the event and perhaps the key elsewhere, and stops after
 * `maxBytes` of an answer, counted after decompression.
 */
export function boundedFetch(maxBytes: number): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, redirect: "manual" });
    return response.body === null ? response : bounded(response, response.body, maxBytes);
  };
}

function bounded(response: Response, body: NonNullable<Response["body"]>, maxBytes: number): Response {
  let bytes = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) {
        controller.error(new AnswerTooLargeError(`the answer is larger than ${maxBytes} bytes`));
      } else {
        controller.enqueue(chunk);
      }
    },
  });
  const { status, statusText, headers } = response;
  return new Response(body.pipeThrough(limit), { status, statusText, headers });
}

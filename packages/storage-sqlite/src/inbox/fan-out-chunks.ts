/** How many recipients are written as JSON before the event loop gets a turn. */
const RECIPIENTS_PER_TURN = 50_000;

/** Cuts a list of recipients into chunks, each a JSON array, without blocking the event loop for long. */
export async function fanOutChunks(recipients: readonly string[], chunkSize: number): Promise<readonly string[]> {
  const chunks: string[] = [];
  let left = RECIPIENTS_PER_TURN;
  for (let start = 0; start < recipients.length; start += chunkSize) {
    chunks.push(JSON.stringify(recipients.slice(start, start + chunkSize)));
    left -= chunkSize;
    if (left <= 0) {
      left = RECIPIENTS_PER_TURN;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return chunks;
}

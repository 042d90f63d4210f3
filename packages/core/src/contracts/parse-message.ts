/** Parses a WebSocket message. Returns undefined when it is not JSON, and an empty object when it is JSON but not an object. */
export function parseMessage(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // JSON.parse has only this error. The caller tells the client.
    return undefined;
  }
}

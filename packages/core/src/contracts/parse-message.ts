/** Reads a WebSocket message: undefined when it is no JSON, an empty object when it is JSON of another kind. */
export function parseMessage(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // The one error JSON.parse has; the client is told.
    return undefined;
  }
}

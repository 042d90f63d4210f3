/** The link that a notification's data carries, if it leads to a web page; whatever else a sender wrote is no link. */
export function safeLink(data: unknown): string | null {
  const url = typeof data === "object" && data !== null ? (data as { action_url?: unknown }).action_url : undefined;
  if (typeof url !== "string" || !URL.canParse(url)) {
    return null;
  }
  const { protocol, href } = new URL(url);
  return protocol === "https:" || protocol === "http:" ? href : null;
}

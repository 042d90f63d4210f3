/** The link in a notification's data, if it leads to a web page; null for anything else that a sender wrote. */
export function safeLink(data: unknown): string | null {
  const url = typeof data === "object" && data !== null ? (data as { action_url?: unknown }).action_url : undefined;
  if (typeof url !== "string" || !URL.canParse(url)) {
    return null;
  }
  const { protocol, href } = new URL(url);
  return protocol === "https:" || protocol === "http:" ? href : null;
}

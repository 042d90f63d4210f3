/**
 * The link of a notification, its own or else the one in its data, if it leads to a web page; null for anything else that a sender
 * wrote, such as a path: it is one of the host's application, not of this page.
 */
export function safeLink({ url, data }: { readonly url: unknown; readonly data: unknown }): string | null {
  const inData = typeof data === "object" && data !== null ? (data as { action_url?: unknown }).action_url : undefined;
  return webLink(url) ?? webLink(inData);
}

function webLink(url: unknown): string | null {
  if (typeof url !== "string" || !URL.canParse(url)) {
    return null;
  }
  const { protocol, href } = new URL(url);
  return protocol === "https:" || protocol === "http:" ? href : null;
}

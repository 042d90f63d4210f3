const SCHEMES: readonly string[] = ["https:", "http:", "mailto:"];

/**
 * A url that may become a link: one of http, https or mailto, or one relative to the page. Null for every other, such as
 * `javascript:`, which would run in the page.
 */
export function safeUrl(url: string | null): string | null {
  if (url === null || !URL.canParse(url, "https://page.invalid")) {
    return null;
  }
  return SCHEMES.includes(new URL(url, "https://page.invalid").protocol) ? url : null;
}

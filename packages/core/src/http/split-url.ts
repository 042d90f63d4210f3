/**
 * Splits a request's target into its path and its query. The query is the text after the first question mark, including any
 * further ones.
 */
export function splitUrl(url: string): { readonly path: string; readonly search: string } {
  const at = url.indexOf("?");
  return at === -1 ? { path: url, search: "" } : { path: url.slice(0, at), search: url.slice(at + 1) };
}

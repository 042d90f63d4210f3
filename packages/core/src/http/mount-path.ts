/** A prefix as it stands in the path of a request: percent-encoded, without a slash at the end; "" for the root. */
export function encodedPrefix(basePath: string): string {
  return new URL(basePath, "http://localhost").pathname.replace(/\/$/, "");
}

/** What follows the prefix in a path, or in a path with a query; null if it does not begin with the prefix. */
export function belowPrefix(path: string, prefix: string): string | null {
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : null;
}

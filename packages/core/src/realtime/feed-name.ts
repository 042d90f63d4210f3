/** The name of a feed: a tenant and something of it. A NUL cannot be part of either. */
export function feedName(tenant: string, of: string): string {
  return `${tenant}\u0000${of}`;
}

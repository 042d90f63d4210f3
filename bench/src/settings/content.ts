/** What every side writes and reads. */
export const TITLE = "Order shipped";
export const MESSAGE = "It left the warehouse today and is on its way to you.";

/** The data of a notification. */
export function dataOf(order: number): { readonly order: number; readonly carrier: string; readonly items: readonly string[] } {
  return { order, carrier: "DHL", items: ["lamp", "bulb"] };
}

const TYPES = ["order_update", "comment", "mention", "invoice"] as const;

/** The type of the notification of this number. */
export function typeOf(order: number): string {
  return TYPES[order % TYPES.length] ?? TYPES[0];
}

/** What `create` is given for a user; the same that the raw sides write. */
export function inputFor(userId: string, order: number) {
  return { to: userId, type: typeOf(order), title: TITLE, message: MESSAGE, data: dataOf(order) };
}

/** Preloaded rows are spread over this long, up to now. */
export const SPREAD_MS = 90 * 86_400_000;

/** For rows that measure how a page is read: they ask for the same one again and again, and the content cache would have it. */
export const UNCACHED = { contentCacheBytes: 0 };

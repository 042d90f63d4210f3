import type { InboxEvent } from "../inbox/index.ts";

/**
 * Makes a function that makes the frame of an event once. Every client of a user gets the same object for an event, one after the other,
 * so all but the first find it made.
 */
export function frameOnce<Frame, Client = void>(
  make: (event: InboxEvent, client: Client) => Frame,
): (event: InboxEvent, client: Client) => Frame {
  const made = new WeakMap<InboxEvent, { readonly frame: Frame }>();
  let latest: { readonly event: InboxEvent; readonly frame: Frame } | null = null;
  return (event, client) => {
    if (latest?.event !== event) {
      const known = made.get(event) ?? { frame: make(event, client) };
      made.set(event, known);
      latest = { event, ...known };
    }
    return latest.frame;
  };
}

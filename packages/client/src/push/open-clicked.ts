import { askServer } from "./ask-server.ts";
import { PushMemory } from "./kept-device.ts";
import { tellTabs } from "./push-channel.ts";
import { type ShownData, shownData } from "./shown-data.ts";
import type { ClickEventLike, PushWorkerScope } from "./worker-scope.ts";

/** Opens what a notification, or one of its buttons, leads to, and sees to it that the notification is marked as read. */
export function openClicked(scope: PushWorkerScope, event: ClickEventLike): void {
  const data = shownData(event.notification.data);
  if (data === null) {
    return;
  }
  event.notification.close();
  // Browsers let a worker open a tab for a moment after the click: that comes first.
  event.waitUntil(openTab(scope, linkOf(data, event.action, scope.location.origin)));
  event.waitUntil(noteOpened(scope, data));
}

/** Where a click leads; null for a link that is none of the web's, such as `javascript:`, and for none at all. */
function linkOf({ url, links }: ShownData, action: string, origin: string): string | null {
  const ofButton = action === "" ? null : links[Number(action)];
  const { protocol, href } = parsed(ofButton ?? url ?? "about:blank", origin);
  return protocol === "https:" || protocol === "http:" ? href : null;
}

/** An address with its parts; another one's for a text that is none. The first browsers with pushes on phones have no `URL.canParse`. */
function parsed(link: string, origin: string): URL {
  try {
    return new URL(link, origin);
  } catch {
    return new URL("about:blank");
  }
}

/** Shows the tab that was loaded from the link, else opens one: browsers do not say where a page went by itself. Without a link, it shows any tab. */
async function openTab({ clients, location }: PushWorkerScope, link: string | null): Promise<void> {
  const tabs = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const found = link === null ? tabs[0] : tabs.find(({ url }) => url === link);
  await (found === undefined ? clients.openWindow(link ?? location.origin) : found.focus());
}

/** Marks the notification as read where cookies say who the user is. Else it is noted for the next tab that can, and open ones are told. */
async function noteOpened({ registration }: PushWorkerScope, { id, isDigest }: ShownData): Promise<void> {
  const memory = new PushMemory(registration.scope);
  const kept = isDigest ? null : await memory.device();
  if (kept === null || (await askServer(kept, "/inbox/items", { change: "read", ids: [id] })) !== null) {
    return;
  }
  await memory.noteOpened(id);
  tellTabs();
}

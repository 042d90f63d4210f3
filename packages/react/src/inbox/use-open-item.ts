import { type MouseEvent, useCallback } from "react";
import { useBelfry } from "../hooks/belfry-provider.tsx";
import type { InboxItem } from "../hooks/registered-client.ts";
import { useInbox } from "./inbox-context.ts";

/**
 * What a click on an item's link does: the item is read, the popover closes, and the host's router goes to the link if the host has
 * one. A click that opens another tab or window stays the browser's own.
 */
export function useOpenItem(item: InboxItem): (event: MouseEvent, url: string) => void {
  const client = useBelfry();
  const { onNavigate, layout, setOpen } = useInbox();
  return useCallback(
    (event, url) => {
      if (item.readAt === null) {
        void client.markRead(item.id);
      }
      const isElsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0;
      if (onNavigate === undefined || isElsewhere) {
        return;
      }
      event.preventDefault();
      onNavigate(url, item);
      if (layout === "popover") {
        setOpen(false);
      }
    },
    [client, item, onNavigate, layout, setOpen],
  );
}

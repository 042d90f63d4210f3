import { Bell } from "./bell.tsx";
import { Content } from "./content.tsx";
import { Frame } from "./frame.tsx";
import { Header } from "./header.tsx";
import { Item } from "./item.tsx";
import { List } from "./list.tsx";
import { NewPill } from "./new-pill.tsx";
import { Page, Popover } from "./panel.tsx";
import { type InboxRootProps, Root } from "./root.tsx";
import { Empty, Failed, Loading, Offline } from "./states.tsx";
import { Tabs } from "./tabs.tsx";

/** What {@link Inbox} takes. */
export type InboxProps = Omit<InboxRootProps, "children">;

/**
 * The finished inbox: a bell with a popover, or a page. It needs a `BelfryProvider` above it and `@belfry/react/styles.css`.
 *
 * @example
 * <Inbox onNavigate={(url) => router.push(url)} locale="de" />
 */
export function FinishedInbox(props: InboxProps) {
  return (
    <Frame {...props}>
      <Content />
    </Frame>
  );
}

/** The finished inbox, and its parts by name for inboxes of one's own. */
export const Inbox = /* @__PURE__ */ Object.assign(FinishedInbox, {
  Root,
  Bell,
  Popover,
  Page,
  Header,
  Tabs,
  NewPill,
  List,
  Item,
  Offline,
  Empty,
  Failed,
  Loading,
});

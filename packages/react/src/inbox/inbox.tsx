import { useCallback, useEffect, useState } from "react";
import type { PreferencePanel } from "../preferences/preference-panel.tsx";
import { Bell } from "./bell.tsx";
import { Header } from "./header.tsx";
import { useInbox } from "./inbox-context.ts";
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
    <Root {...props}>
      {props.layout === "page" ? (
        <Page>
          <Content />
        </Page>
      ) : (
        <>
          <Bell />
          <Popover>
            <Content />
          </Popover>
        </>
      )}
    </Root>
  );
}

/** The list, or the preferences in its place. */
function Content() {
  const { slots, hasPreferences } = useInbox();
  const [isChoosing, setChoosing] = useState(false);
  const leave = useCallback(() => setChoosing(false), []);
  if (isChoosing) {
    return <Preferences onBack={leave} />;
  }
  return (
    <>
      <Header {...(hasPreferences ? { onPreferences: () => setChoosing(true) } : {})} />
      <Tabs />
      <Offline />
      <div className="belfry-list">
        <NewPill />
        <List />
      </div>
      {slots.footer && <footer className="belfry-footer">{slots.footer()}</footer>}
    </>
  );
}

/** The preference panel. Its code is loaded when it is opened first. */
function Preferences({ onBack }: { readonly onBack: () => void }) {
  const [Panel, setPanel] = useState<typeof PreferencePanel | null>(null);
  useEffect(() => {
    let isCurrent = true;
    import("../preferences/preference-panel.tsx").then(
      (loaded) => isCurrent && setPanel(() => loaded.PreferencePanel),
      // Without its code there is nothing to show.
      onBack,
    );
    return () => {
      isCurrent = false;
    };
  }, [onBack]);
  return Panel === null ? <Loading /> : <Panel onBack={onBack} />;
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

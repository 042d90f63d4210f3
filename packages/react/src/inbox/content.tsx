import { useCallback, useEffect, useState } from "react";
import type { PreferencePanel } from "../preferences/preference-panel.tsx";
import { Header } from "./header.tsx";
import { useInbox } from "./inbox-context.ts";
import { List } from "./list.tsx";
import { NewPill } from "./new-pill.tsx";
import { Loading, Offline } from "./states.tsx";
import { Tabs } from "./tabs.tsx";

/** The list, or the preferences in its place. */
export function Content() {
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

import { useEffect, useRef, useState } from "react";
import { Header } from "./header.tsx";
import { useInbox } from "./inbox-context.ts";
import { Tool } from "./item-tools.tsx";
import { Later, loaderOf } from "./later.tsx";
import { List } from "./list.tsx";
import { NewPill } from "./new-pill.tsx";
import { Offline } from "./states.tsx";
import { Tabs } from "./tabs.tsx";

/** The list, or the preferences in its place. */
export function Content() {
  const { slots, hasPreferences } = useInbox();
  const [preferences, setPreferences] = useState<"closed" | "open" | "left">("closed");
  if (preferences === "open") {
    return <Preferences onBack={() => setPreferences("left")} />;
  }
  return (
    <>
      <Header isBack={preferences === "left"} {...(hasPreferences ? { onPreferences: () => setPreferences("open") } : {})} />
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

const loadPanel = /* @__PURE__ */ loaderOf(() => import("../preferences/preference-panel.tsx"), "PreferencePanel");

/** The preferences. Their code is loaded when they are opened first. */
function Preferences({ onBack }: { readonly onBack: () => void }) {
  const { id, texts } = useInbox();
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <>
      <header className="belfry-header">
        <Tool icon="back" label={texts.back} onClick={onBack} />
        <h2 id={`${id}-title`} ref={title} className="belfry-title" tabIndex={-1}>
          {texts.settings}
        </h2>
      </header>
      <Later load={loadPanel} failed={texts.refused} />
    </>
  );
}

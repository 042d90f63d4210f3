import { useEffect, useRef } from "react";
import { usePreferences } from "../hooks/use-preferences.ts";
import { useInbox } from "../inbox/inbox-context.ts";
import { Tool } from "../inbox/item-tools.tsx";
import { Loading } from "../inbox/states.tsx";
import { ChoiceRow } from "./choice-row.tsx";
import { enPreferences } from "./en-preferences.ts";
import { Pause } from "./pause.tsx";
import { QuietHoursForm } from "./quiet-hours-form.tsx";
import { typesByCategory } from "./types-by-category.ts";

/** What {@link PreferencePanel} takes. */
interface PreferencePanelProps {
  onBack(): void;
}

/** What the reader gets, over which channels, how often and when: made from what the server says there is to choose. */
export function PreferencePanel({ onBack }: PreferencePanelProps) {
  const { id, texts, announce } = useInbox();
  const state = usePreferences();
  const words = texts.preferences ?? enPreferences;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  const save = async (change: ReturnType<typeof state.set>) => {
    const { ok } = await change;
    if (!ok) {
      announce(words.failed);
    }
  };
  const { preferences } = state;
  return (
    <>
      <header className="belfry-header">
        <Tool icon="back" label={texts.back} onClick={onBack} />
        <h2 id={`${id}-title`} ref={title} className="belfry-title" tabIndex={-1}>
          {texts.settings}
        </h2>
      </header>
      <div className="belfry-scroll belfry-preferences">
        {state.status === "loading" && preferences === null && <Loading />}
        {state.status === "error" && (
          <div className="belfry-state" role="alert">
            <p className="belfry-state-title">{words.failed}</p>
            <button type="button" className="belfry-action" onClick={state.refresh}>
              {texts.retry}
            </button>
          </div>
        )}
        {preferences && (
          <>
            <Pause words={words} until={preferences.settings.pauseUntil} save={(pauseUntil) => save(state.setSettings({ pauseUntil }))} />
            <QuietHoursForm
              words={words}
              hours={preferences.settings.quietHours}
              save={(quietHours) => save(state.setSettings({ quietHours }))}
            />
            <p className="belfry-intro">{preferences.types.length === 0 ? words.nothing : words.intro}</p>
            {typesByCategory(preferences, words.other).map(({ category, label, types }) => (
              <section key={category ?? ""} className="belfry-category" aria-label={label}>
                <h3>{label}</h3>
                {types.map((type) => (
                  <ChoiceRow
                    key={type.type}
                    type={type}
                    words={words}
                    save={(channel, value) => save(state.set({ type: type.type, channel }, value))}
                  />
                ))}
              </section>
            ))}
          </>
        )}
      </div>
    </>
  );
}

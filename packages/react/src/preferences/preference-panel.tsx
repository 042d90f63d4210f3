import type { ChoiceValue } from "@belfry/client";
import { usePreferences } from "../hooks/use-preferences.ts";
import { useInbox } from "../inbox/inbox-context.ts";
import { Loading } from "../inbox/states.tsx";
import type { PreferenceTexts } from "../texts/texts.ts";
import { ChoiceRow } from "./choice-row.tsx";
import { DigestForm } from "./digest-form.tsx";
import { enPreferences } from "./en-preferences.ts";
import { Pause } from "./pause.tsx";
import { QuietHoursForm } from "./quiet-hours-form.tsx";
import { ThisDevice } from "./this-device.tsx";
import { type TypesOfCategory, typesByCategory } from "./types-by-category.ts";
import { targetsOf, wholeCategory } from "./whole-category.ts";

/** What the reader gets, over which channels, how often and when: made from what the server says there is to choose. */
export function PreferencePanel() {
  const { texts, announce } = useInbox();
  const state = usePreferences();
  const words = texts.preferences ?? enPreferences;
  const save = async (change: ReturnType<typeof state.set>) => {
    const { ok } = await change;
    if (!ok) {
      announce(words.failed);
    }
  };
  const { preferences } = state;
  return (
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
          <ThisDevice words={words} />
          <Pause words={words} until={preferences.settings.pauseUntil} save={(pauseUntil) => save(state.setSettings({ pauseUntil }))} />
          <QuietHoursForm
            words={words}
            hours={preferences.settings.quietHours}
            save={(quietHours) => save(state.setSettings({ quietHours }))}
          />
          <DigestForm words={words} digest={preferences.settings.digest} save={(digest) => save(state.setSettings({ digest }))} />
          <p className="belfry-intro">{preferences.types.length === 0 ? words.nothing : words.intro}</p>
          {typesByCategory(preferences, words.other).map((category) => (
            <Category
              key={category.category ?? ""}
              category={category}
              words={words}
              save={(type, channel, value) => save(state.set({ type, channel }, value))}
              saveWhole={(channel, value) => {
                for (const target of targetsOf(category, channel, preferences)) {
                  void save(state.set(target, value));
                }
              }}
            />
          ))}
        </>
      )}
    </div>
  );
}

interface CategoryProps {
  readonly category: TypesOfCategory;
  readonly words: PreferenceTexts;
  save(type: string, channel: string, value: ChoiceValue): void;
  saveWhole(channel: string, value: ChoiceValue): void;
}

/** The types of a category; if there are several, with a choice for all of them. */
function Category({ category, words, save, saveWhole }: CategoryProps) {
  const { label, types } = category;
  return (
    <section className="belfry-category" aria-label={label}>
      <h3>{label}</h3>
      {category.category !== null && types.length > 1 && (
        <ChoiceRow label={words.wholeCategory} channels={wholeCategory(category)} words={words} save={saveWhole} />
      )}
      {types.map(({ type, label: name, channels }) => (
        <ChoiceRow key={type} label={name} channels={channels} words={words} save={(channel, value) => save(type, channel, value)} />
      ))}
    </section>
  );
}

import type { ChoiceTarget, ChoiceValue, PreferenceList, Result, Settings } from "@belfry/client";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useBelfry } from "./belfry-provider.tsx";

/** What {@link usePreferences} loaded so far. */
export interface Loaded {
  /** Null until they are loaded. */
  readonly preferences: PreferenceList | null;
  readonly status: "loading" | "ready" | "error";
}

/** The reader's preferences as they are now, and ways to change them. */
export interface PreferencesState extends Loaded {
  /** Makes a choice. It shows at once, and is taken back if it cannot be saved. */
  set(target: ChoiceTarget, value: ChoiceValue): Promise<Result<PreferenceList>>;
  /** Changes settings; what is left out stays, null takes back. */
  setSettings(settings: Partial<Settings>): Promise<Result<PreferenceList>>;
  /** Loads them again. */
  refresh(): void;
}

/** The preferences with a choice that the server has not answered yet. */
function withChoice(preferences: PreferenceList, target: ChoiceTarget, value: ChoiceValue): PreferenceList {
  const isMeant = (type: PreferenceList["types"][number]) =>
    target.type === undefined ? target.category === undefined || target.category === type.category : target.type === type.type;
  const types = preferences.types.map((type) => {
    const channels = type.channels.map((choice) => {
      const isChosen = choice.isChangeable && (target.channel ?? choice.channel) === choice.channel;
      return isChosen ? { ...choice, value } : choice;
    });
    return isMeant(type) ? { ...type, channels } : type;
  });
  return { ...preferences, types };
}

/**
 * The signed-in user's preferences: what counts for each type and channel, whether it may be changed, and settings such as quiet hours.
 *
 * @example
 * const { preferences, set } = usePreferences();
 * await set({ type: "comment", channel: "email" }, "daily");
 */
export function usePreferences(): PreferencesState {
  const client = useBelfry();
  const [loaded, setLoaded] = useState<Loaded>({ status: "loading", preferences: null });
  // The number of the newest question: older answers do not replace newer ones.
  const newest = useRef(0);
  // Changes under way, and those since none was: the answer to one may know nothing of another.
  const [underWay, together] = [useRef(0), useRef(0)];

  const take = useCallback(async (answer: Promise<Result<PreferenceList>>): Promise<Result<PreferenceList>> => {
    newest.current += 1;
    const own = newest.current;
    const result = await answer;
    if (own === newest.current) {
      setLoaded((before) => (result.ok ? { status: "ready", preferences: result.value } : { ...before, status: "error" }));
    }
    return result;
  }, []);

  const change = useCallback(
    async (answer: Promise<Result<PreferenceList>>, shown: (before: PreferenceList) => PreferenceList): Promise<Result<PreferenceList>> => {
      setLoaded((before) => ({ ...before, preferences: before.preferences && shown(before.preferences) }));
      together.current = underWay.current === 0 ? 1 : together.current + 1;
      underWay.current += 1;
      const result = await answer;
      underWay.current -= 1;
      if (underWay.current === 0) {
        await take(result.ok && together.current === 1 ? Promise.resolve(result) : client.preferences.get());
      }
      return result;
    },
    [client, take, underWay, together],
  );

  useEffect(() => void take(client.preferences.get()), [client, take]);

  return useMemo(
    () => ({
      ...loaded,
      set: (target, value) => change(client.preferences.set(target, value), (before) => withChoice(before, target, value)),
      setSettings: (settings) =>
        change(client.preferences.setSettings(settings), (before) => ({ ...before, settings: { ...before.settings, ...settings } })),
      refresh: () => void take(client.preferences.get()),
    }),
    [loaded, client, change, take],
  );
}

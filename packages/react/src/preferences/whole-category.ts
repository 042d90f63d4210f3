import type { ChannelPreference, ChoiceTarget, PreferenceList } from "@belfry/client";
import type { TypesOfCategory } from "./types-by-category.ts";

/** What counts for a whole category over each channel: what its types have in common. A channel that no type lets change cannot be changed. */
export function wholeCategory({ types }: TypesOfCategory): readonly ChannelPreference[] {
  const all = types.flatMap(({ channels }) => channels);
  return [...new Set(all.map(({ channel }) => channel))].map((channel) => {
    const own = all.filter((one) => one.channel === channel);
    const changeable = own.filter(({ isChangeable }) => isChangeable);
    const [first = own[0], ...others] = changeable;
    const value = first !== undefined && others.every((one) => one.value === first.value) ? first.value : valueOfMixed(changeable);
    return { channel, value, source: first?.source ?? "", isChangeable: changeable.length > 0 };
  });
}

/** Types that differ are on as long as one of them is. */
function valueOfMixed(channels: readonly ChannelPreference[]): "on" | "off" {
  return channels.some(({ value }) => value !== "off") ? "on" : "off";
}

/** What has to be chosen for a choice about a whole category: that of the category, and anew what was chosen for single types of it, which counts more. */
export function targetsOf({ category, types }: TypesOfCategory, channel: string, { choices }: PreferenceList): readonly ChoiceTarget[] {
  const single = types.filter(({ type }) =>
    choices.some(({ scope, name, channel: over }) => scope === "type" && name === type && (over === null || over === channel)),
  );
  return category === null ? [] : [{ category, channel }, ...single.map(({ type }) => ({ type, channel }))];
}

import type { PreferenceList } from "@belfry/client";

/** Types that are chosen under one heading. */
export interface TypesOfCategory {
  /** Null for types of no category. */
  readonly category: string | null;
  readonly label: string;
  readonly types: PreferenceList["types"];
}

/** The types under their categories, in the server's order; those of no category come last, as `other`. */
export function typesByCategory({ types, categories }: PreferenceList, other: string): readonly TypesOfCategory[] {
  return [...categories, { category: null, label: other }].flatMap(({ category, label }) => {
    const own = types.filter((type) => type.category === category);
    return own.length === 0 ? [] : [{ category, label, types: own }];
  });
}

/** Every member of an object type by name: one that is left out does not compile. */
export type MembersOf<Type> = Readonly<Record<keyof Type, true>>;

/**
 * Says that `given` has a member that nobody reads; null when it has none. Nothing a caller says is ignored: a misspelt name
 * is a mistake that would show much later.
 *
 * @param what names what takes the members, for example `create`
 */
export function strangerIn(what: string, given: object, known: Readonly<Record<string, true>>): string | null {
  const stranger = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  return stranger === undefined ? null : `${what} takes ${Object.keys(known).join(", ")}; got ${JSON.stringify(stranger.slice(0, 64))}`;
}

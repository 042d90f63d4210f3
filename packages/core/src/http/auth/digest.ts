import { digest } from "../../foundation/digest.ts";

/** A credential's look-up: a fixed table, or the host's own function. */
export type CredentialLookup<Found> =
  | Readonly<Record<string, Found>>
  | ReadonlyMap<string, Found>
  | ((credential: string) => Found | null | undefined | Promise<Found | null | undefined>);

/**
 * Makes one function of either form of look-up. Credentials are kept and looked up as digests: the time a look-up takes
 * then says nothing about the credential itself.
 */
export function lookup<Found>(source: CredentialLookup<Found> | undefined): (credential: string) => Promise<Found | null> {
  if (source === undefined) {
    return async () => null;
  }
  if (typeof source === "function") {
    return async (credential) => (await source(credential)) ?? null;
  }
  const entries = source instanceof Map ? [...source.entries()] : Object.entries(source as Readonly<Record<string, Found>>);
  let table: Promise<ReadonlyMap<string, Found>> | null = null;
  return async (credential) => {
    table ??= Promise.all(entries.map(async ([key, found]): Promise<[string, Found]> => [await digest(key), found])).then(
      (pairs) => new Map(pairs),
    );
    return (await table).get(await digest(credential)) ?? null;
  };
}

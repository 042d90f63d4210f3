import { digest } from "../../foundation/digest.ts";

/** The look-up of a credential: a fixed table, or the host's own function. */
export type CredentialLookup<Found> =
  | Readonly<Record<string, Found>>
  | ReadonlyMap<string, Found>
  | ((credential: string) => Found | null | undefined | Promise<Found | null | undefined>);

/**
 * Makes one function from either form of look-up. Credentials are stored and looked up as digests, so the time of a look-up
 * reveals nothing about the credential.
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

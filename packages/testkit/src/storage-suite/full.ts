import { expect } from "vitest";

/** A value with every field of `T` set, and none to null: what a fixture misses of a new field does not compile. */
export type Full<T> = { readonly [Field in keyof T]-?: NonNullable<T[Field]> };

/** Checks that no two fields of a fixture are equal, so that a storage that mixes up two columns is found out. */
export function expectAllDifferent(fixture: object): void {
  const values = Object.values(fixture).map((value) => JSON.stringify(value));
  expect(new Set(values).size, JSON.stringify(fixture)).toBe(values.length);
}

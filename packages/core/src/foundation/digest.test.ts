import { expect, test } from "vitest";
import { EMPTY_EPOCH } from "../inbox/inbox-item.ts";
import { fingerprint, newEpoch } from "./digest.ts";

test("epochs are 12 hexadecimal digits, and none of 10,000 is given twice", () => {
  const epochs = Array.from({ length: 10_000 }, newEpoch);
  expect(epochs.every((epoch) => /^[0-9a-f]{12}$/.test(epoch))).toBe(true);
  expect(new Set(epochs).size).toBe(10_000);
  expect(epochs).not.toContain(EMPTY_EPOCH);
});

test("a fingerprint is the FNV-1a of the values' JSON in UTF-8, in 64 bits", () => {
  const one = (text: string) => {
    let hash = 0xcbf29ce484222325n;
    for (const byte of new TextEncoder().encode(text)) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    }
    return hash.toString(36);
  };
  const lists = [[], [7, "default", "ann", null], ["tönänt", "𝒳", "€", "\u0001"], ["x".repeat(1_400)], ["é".repeat(5_000)]];
  for (const values of [...lists, ...Array.from({ length: 200 }, (_, number) => [number * 7_919, `user_${number}`])]) {
    expect(fingerprint(values)).toBe(one(JSON.stringify(values)));
  }
});

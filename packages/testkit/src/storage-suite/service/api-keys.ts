import type { StoredApiKey } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, useFixture } from "../fixture.ts";
import { expectAllDifferent } from "../full.ts";
import type { StorageHarness } from "../harness.ts";
import { fullApiKey } from "./service-fixture.ts";

/** The promises of keeping API keys. */
export function apiKeyTests(harness: StorageHarness): void {
  describe("API keys", () => {
    const fixture = useFixture(harness);
    const keys = () => fixture.storage.apiKeys;
    const key = (id: string, second: number): StoredApiKey => ({
      id: `${fixture.tenant} ${id}`,
      tenant: fixture.tenant,
      name: `key ü ${id}`,
      digest: "a".repeat(64),
      scopes: ["read", "write"],
      createdAt: at(second),
      revokedAt: null,
    });

    test("a key is found as it was, and a tenant's are listed, newest first", async () => {
      const [first, second] = [key("one", 1), key("two", 2)];
      await keys().add(first);
      await keys().add(second);
      expect(await keys().find(first.id)).toEqual(first);
      expect(await keys().find("unknown")).toBeNull();
      expect(await keys().list(fixture.tenant)).toEqual([second, first]);
      expect(await keys().list("another")).toEqual([]);
    });

    test("every field of a key is read back by every way to read", async () => {
      const full = fullApiKey(fixture);
      await keys().add(full);
      expect(await keys().find(full.id)).toEqual(full);
      expect(await keys().list(fixture.tenant)).toEqual([full]);
      expectAllDifferent(full);
    });

    test("a revoked key stays revoked since the first time, and is its tenant's to revoke", async () => {
      const one = key("one", 1);
      await keys().add(one);
      expect(await keys().revoke("another", one.id, at(5))).toBe(false);
      expect(await keys().revoke(fixture.tenant, "unknown", at(5))).toBe(false);
      expect([await keys().revoke(fixture.tenant, one.id, at(5)), await keys().revoke(fixture.tenant, one.id, at(9))]).toEqual([
        true,
        true,
      ]);
      expect(await keys().find(one.id)).toEqual({ ...one, revokedAt: at(5) });
    });
  });
}

import type { StoredApiKey } from "@belfry/core/storage";
import { at, type Fixture } from "../fixture.ts";
import type { Full } from "../full.ts";

/** An API key of the test's tenant with no field at its default. */
export function fullApiKey({ tenant }: Fixture): Full<StoredApiKey> {
  const named = { id: `${tenant} full key`, name: "full name", digest: "b".repeat(64) };
  return { ...named, tenant, scopes: ["write"], createdAt: at(51), revokedAt: at(52) };
}

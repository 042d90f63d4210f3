import type { Route } from "@belfry/core/http";
import type { ApiContext } from "../src/api/context.ts";
import { apiContract } from "../src/api/contract.ts";

/** Every route of the dashboard's API; only their shapes are looked at. */
export const ROUTES: readonly Route[] = apiContract({ redaction: null } as ApiContext).routes;

/** The path of a route with its parameters filled in. */
export function filled({ path }: Route, id: string): string {
  return path.replaceAll(/\{[^}]+\}/g, id);
}

import type { ServiceRole } from "@belfry/core";
import { z } from "zod";

/** What this process is among others. */
export interface ProcessConfig {
  /** What it does: everything, requests and live streams, deliveries, or the hub's handlers. */
  readonly role: ServiceRole;
  /** How long it answers requests after the order to end, with its readiness failing: until load balancers have seen that. In milliseconds. */
  readonly retireMs: number;
}

/** The variables of {@link ProcessConfig}. */
export const PROCESS_VARIABLES = {
  ROLE: z.enum(["all", "web", "worker", "hub"]).default("all"),
  RETIRE_MS: z.coerce.number("must be a number of milliseconds").int().min(0).max(600_000).default(0),
};

/** Reads what this process is. */
export function processConfig({ ROLE, RETIRE_MS }: { readonly ROLE: ServiceRole; readonly RETIRE_MS: number }): ProcessConfig {
  return { role: ROLE, retireMs: RETIRE_MS };
}

/** Whether a process takes requests of users and clients. The others answer health checks alone. */
export function takesRequests(role: ServiceRole): boolean {
  return role === "all" || role === "web";
}

import { BelfryError, type Logger, requireOptions } from "@belfry/core";
import type { Pool } from "pg";
import { poolOf } from "../database/connection.ts";
import { DEFAULT_SCHEMA } from "../postgres-options.ts";

/** A tenant that moves, and the databases that it moves between. */
export interface TenantMoveOptions {
  /** The tenant whose data moves. */
  readonly tenant: string;
  /** A pool of the database that has the data. Its user must own Belfry's tables there. */
  readonly from: Pool;
  /** A pool of the database that is to have it. Belfry must have migrated it as far as the other one. */
  readonly to: Pool;
  /** The PostgreSQL schema of Belfry's tables in both. @default "public" */
  readonly schema?: string;
  /** How long to wait for deliveries, handlers and large audiences that are under way, in milliseconds. @default 60_000 */
  readonly drainMs?: number;
  /** Gets a line for each state. @default none */
  readonly logger?: Logger;
}

/** Options of {@link moveTenant}. */
export interface MoveTenantOptions extends TenantMoveOptions {
  /**
   * Sends the tenant's calls to the new database from now on, in all processes; resolves once the last of them does. The copy is complete then, and
   * equal. It may be called again if the move was interrupted.
   */
  switchOver(): void | Promise<void>;
}

/** The options with their defaults. */
export type MoveSettings = Required<Omit<TenantMoveOptions, "logger">> & { readonly logger: Logger | null };

const DRAIN_MS = 60_000;
const OPTIONS = { tenant: true, from: true, to: true, schema: true, drainMs: true, logger: true } as const;

/** Checks what a move gets, for hosts without TypeScript. @throws BelfryError `CONFIGURATION` */
export function moveSettings(name: string, options: TenantMoveOptions, others: Readonly<Record<string, true>> = {}): MoveSettings {
  requireOptions(name, options, { ...OPTIONS, ...others });
  const { tenant, from, to, schema = DEFAULT_SCHEMA, drainMs = DRAIN_MS, logger = null } = options;
  check(typeof tenant === "string" && tenant !== "", `${name} needs the name of a tenant`);
  check(poolOf(from) === from && poolOf(to) === to, `${name} needs two pg Pools, from and to`);
  check(from !== to, `${name} got one pool as both from and to`);
  check(typeof schema === "string" && schema !== "", `${name} takes as schema the name of one`);
  check(Number.isFinite(drainMs) && drainMs >= 0, `${name} takes drainMs in milliseconds from 0`);
  return { tenant, from, to, schema, drainMs, logger };
}

function check(isFine: boolean, problem: string): void {
  if (!isFine) {
    throw new BelfryError("CONFIGURATION", `${problem}.`);
  }
}

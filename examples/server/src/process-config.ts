import type { ServiceRole } from "@belfry/core";
import { z } from "zod";

/** What this process is among others. */
export interface ProcessConfig {
  /** What it does: everything, requests and live streams, deliveries, or the hub's handlers. */
  readonly role: ServiceRole;
  /** How long it answers requests after the order to end, with its readiness failing: until load balancers have seen that. In milliseconds. */
  readonly retireMs: number;
  /** Several databases by name, for a tenant in each; empty for the one of `DATABASE_URL`. */
  readonly databases: ReadonlyMap<string, string>;
  /** The replica of the database that answers reads that may be behind; it may contain a password. Null for none. */
  readonly replicaUrl: string | null;
}

const PORT_RULE = "must be a port number, from 0 to 65535";

/** The variables of {@link ProcessConfig}, and of where it listens. */
export const PROCESS_VARIABLES = {
  HOST: z.string().default("127.0.0.1"),
  PORT: z.coerce.number(PORT_RULE).int(PORT_RULE).min(0, PORT_RULE).max(65_535, PORT_RULE).default(3000),
  ROLE: z.enum(["all", "web", "worker", "hub"]).default("all"),
  DATABASE_URL: z.string().optional(),
  DATABASE_URLS: z.string().optional(),
  REPLICA_URL: z.string().optional(),
  RETIRE_MS: z.coerce.number("must be a number of milliseconds").int().min(0).max(600_000).default(0),
};

type ProcessVariables = z.infer<z.ZodObject<typeof PROCESS_VARIABLES>>;

/** Reads what this process is. */
export function processConfig(variables: ProcessVariables): ProcessConfig {
  const { ROLE, RETIRE_MS, DATABASE_URLS } = variables;
  return { role: ROLE, retireMs: RETIRE_MS, databases: databasesOf(DATABASE_URLS), replicaUrl: replicaOf(variables) };
}

/** Reads where the replica is. The error does not repeat it, because it may contain a password. */
function replicaOf({ DATABASE_URL = "", REPLICA_URL }: ProcessVariables): string | null {
  if (REPLICA_URL === undefined) {
    return null;
  }
  if (![DATABASE_URL, REPLICA_URL].every((url) => /^postgres(?:ql)?:/.test(url) && URL.canParse(url))) {
    throw new Error("REPLICA_URL: must be like postgres://user:password@host/db, a replica of the PostgreSQL that DATABASE_URL names");
  }
  return REPLICA_URL;
}

/** Reads `name=postgres://…` with spaces between them. The error does not repeat one, which may contain a password. */
export function databasesOf(text = ""): ReadonlyMap<string, string> {
  const entries = text
    .split(/\s+/)
    .filter((entry) => entry !== "")
    .map((entry) => entry.split(/=(.*)/s, 2) as [string, string]);
  const isFine = entries.every(([name, url = ""]) => /^[\w-]+$/.test(name) && /^postgres(?:ql)?:/.test(url) && URL.canParse(url));
  if (!isFine || new Set(entries.map(([name]) => name)).size < entries.length) {
    throw new Error("DATABASE_URLS: must be like main=postgres://user:password@host/db eu=postgres://…, with another name for each");
  }
  return new Map(entries);
}

/** Whether a process takes requests of users and clients. The others answer health checks alone. */
export function takesRequests(role: ServiceRole): boolean {
  return role === "all" || role === "web";
}

import type { Pool, PoolClient } from "pg";
import { afterAll, beforeAll, expect } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { fillTables, openPool, silent, useDatabase } from "./setup.ts";

/** A node of a plan, as PostgreSQL explains it in JSON. The blocks are there if it was run. */
export interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly Plan[];
}

/** Every node of a plan. */
export function nodesOf(plan: Plan): readonly Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** The tables that plans read whole. */
export function readWhole(plans: readonly Plan[]): readonly string[] {
  const whole = plans.flatMap(nodesOf).filter((node) => node["Node Type"] === "Seq Scan");
  return whole.map((node) => node["Relation Name"] ?? "");
}

/** How many blocks a plan read. */
export function blocksOf(plan: Plan): number {
  return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
}

interface Asked {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** A storage over tables that are filled once, for all tests of a block, and the plans of what it asks. */
export interface FilledPlans {
  readonly storage: ReturnType<typeof postgresStorage>;
  /** The plans of what `work` asks outside transactions, for its values and for any. @param how whether they are run, too */
  plansOf(work: () => Promise<unknown>, how?: "run" | "planned"): Promise<readonly Plan[]>;
}

/** Fills the tables of a database before the tests of a block. */
export function useFilledPlans(fill: (client: PoolClient) => Promise<void>): FilledPlans {
  const database = useDatabase();
  let pool: Pool;
  let storage: ReturnType<typeof postgresStorage> | undefined;
  const asked: Asked[] = [];

  beforeAll(async () => {
    pool = openPool(database.url, 4);
    storage = postgresStorage(pool, { logger: silent });
    await storage.open();
    await fillTables(pool, fill);
    await pool.query("VACUUM ANALYZE");
    const query = pool.query.bind(pool) as (config: unknown) => unknown;
    pool.query = ((config: Asked) => {
      if (typeof config === "object") {
        asked.push({ text: config.text, values: config.values });
      }
      return query(config);
    }) as Pool["query"];
  }, 300_000);

  afterAll(async () => {
    await storage?.close();
    await pool.end();
  });

  return {
    get storage() {
      if (storage === undefined) {
        throw new Error("The storage is used before its tests run.");
      }
      return storage;
    },
    async plansOf(work, how = "planned") {
      asked.length = 0;
      await work();
      const statements = asked.splice(0);
      expect(statements.length).toBeGreaterThan(0);
      const client = await pool.connect();
      try {
        const plans: Plan[] = [];
        for (const mode of ["force_custom_plan", "force_generic_plan"]) {
          await client.query(`SET plan_cache_mode = ${mode}`);
          for (const statement of statements) {
            plans.push(await planOf(client, statement, how === "run" ? "ANALYZE, BUFFERS, FORMAT JSON" : "FORMAT JSON"));
          }
        }
        return plans;
      } finally {
        client.release();
      }
    },
  };
}

/** How a statement is planned, with the client's way to treat parameters. */
async function planOf(client: PoolClient, { text, values }: Asked, options: string): Promise<Plan> {
  const literals = values.map((value) => (value === null ? "NULL" : client.escapeLiteral(String(value))));
  await client.query(`PREPARE asked AS ${text}`);
  try {
    const { rows } = await client.query(`EXPLAIN (${options}) EXECUTE asked${values.length > 0 ? `(${literals.join(", ")})` : ""}`);
    return (rows[0] as { "QUERY PLAN": { Plan: Plan }[] })["QUERY PLAN"][0]?.Plan as Plan;
  } finally {
    await client.query("DEALLOCATE asked");
  }
}

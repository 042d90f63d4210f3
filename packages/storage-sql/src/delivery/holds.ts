import type { HoldsStorage, OpenCircuit } from "@belfry/core/storage";
import { type Sql, selected } from "../database/sql.ts";
import { pauseStorage } from "./pauses.ts";

interface CircuitRow extends Pick<OpenCircuit, "channel" | "recipient" | "failures"> {
  readonly openedAt: number;
  readonly openUntil: number;
}

/** What holds deliveries back in a SQL database. */
export function holdsStorage(sql: Sql): HoldsStorage {
  return { ...circuitStorage(sql), ...pauseStorage(sql) };
}

type CircuitStorage = Pick<HoldsStorage, "openCircuit" | "closeCircuit" | "circuitsOf" | "restingAt" | "pruneCircuits" | "eraseCircuits">;

/** Endpoints that rest. */
function circuitStorage(sql: Sql): CircuitStorage {
  const { circuits } = sql.tables;
  const columns = selected({
    ...{ channel: "c.channel", recipient: "c.recipient", failures: "c.failures" },
    ...{ openedAt: sql.milliseconds("c.opened_at"), openUntil: sql.milliseconds("c.open_until") },
  });
  const open = `INSERT INTO ${circuits} (channel, recipient, failures, opened_at, open_until) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (channel, recipient) DO UPDATE SET failures = excluded.failures, open_until = excluded.open_until RETURNING channel`;
  const close = `DELETE FROM ${circuits} WHERE channel = $1 AND recipient = $2 RETURNING channel`;
  const element = (place: number) => sql.bytewise(`(e.value ->> ${place})`);
  const named = `SELECT ${columns} FROM ${sql.elements("$1")} ${sql.join} ${circuits} c ON c.channel = ${element(0)} AND c.recipient = ${element(1)}`;
  const resting = `SELECT ${columns} FROM ${circuits} c WHERE c.open_until > $1 ORDER BY c.open_until DESC LIMIT $2`;
  const prune = `DELETE FROM ${circuits} WHERE open_until < $1 RETURNING channel`;
  const erase = `DELETE FROM ${circuits} WHERE recipient = $1 RETURNING channel`;
  return {
    async openCircuit({ channel, recipient, failures, openedAt, openUntil }) {
      await sql.rows("open_circuit", open, [channel, recipient, failures, openedAt, openUntil]);
    },
    async closeCircuit({ channel, recipient }) {
      await sql.rows("close_circuit", close, [channel, recipient]);
    },
    async circuitsOf(endpoints) {
      const names = JSON.stringify(endpoints.map(({ channel, recipient }) => [channel, recipient]));
      return (await sql.rows<CircuitRow>("circuits_of", named, [names])).map(toCircuit);
    },
    async restingAt(at, limit) {
      return (await sql.rows<CircuitRow>("circuits_resting", resting, [at, limit])).map(toCircuit);
    },
    async pruneCircuits(before) {
      await sql.rows("prune_circuits", prune, [before]);
    },
    async eraseCircuits(recipient) {
      await sql.rows("erase_circuits", erase, [recipient]);
    },
  };
}

function toCircuit({ openedAt, openUntil, ...row }: CircuitRow): OpenCircuit {
  return { ...row, openedAt: new Date(openedAt), openUntil: new Date(openUntil) };
}

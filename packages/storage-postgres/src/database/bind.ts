import type { Connection, Session } from "./connection.ts";
import { wrapError } from "./errors.ts";
import type { StorageTime } from "./statement.ts";
import type { TableNames } from "./table-names.ts";

/** The connection that the parts of a storage are bound to. */
export interface Bound {
  readonly tables: TableNames;
  readonly time: StorageTime;
  /** The storage's open state. Throws if the storage is closed. */
  current(): { readonly connection: Connection };
}

/** Makes the statements of an operation. Given its values, a connection, or a session of one, runs the operation. */
export type Prepare<Args extends readonly unknown[], Result, On = Connection> = (
  tables: TableNames,
  time: StorageTime,
) => (...args: Args) => (on: On) => Promise<Result>;

/** An operation before it is bound to a storage. */
type Binding<Args extends readonly unknown[], Result> = (bound: Bound) => (...args: Args) => Promise<Result>;

/**
 * An operation that is one statement, or opens its transactions itself. It runs again after a conflict with another
 * transaction, and wraps the driver's final error.
 */
export function run<Args extends readonly unknown[], Result>(prepare: Prepare<Args, Result>): Binding<Args, Result> {
  return ({ tables, time, current }) => {
    let operation: ReturnType<typeof prepare> | undefined;
    return async (...args) => {
      const { connection } = current();
      operation ??= prepare(tables, time);
      const work = operation(...args);
      try {
        return await connection.retryingConflicts(() => work(connection));
      } catch (error) {
        throw wrapError(error);
      }
    };
  };
}

/** An operation of several statements in one transaction. */
export const inTransaction = together("transaction");

/** An operation that is a step of long work, which can be repeated: see {@link Connection.step}. */
export const inStep = together("step");

function together(kind: "transaction" | "step") {
  return <Args extends readonly unknown[], Result>(prepare: Prepare<Args, Result, Session>): Binding<Args, Result> =>
    run((tables, time) => {
      const operation = prepare(tables, time);
      return (...args) => {
        const work = operation(...args);
        return (connection) => connection[kind](work);
      };
    });
}

/** Makes a part of the storage of operations, whose statements are made when they are first needed. */
export function bind<Bindings extends Readonly<Record<string, Binding<never, unknown>>>>(
  bound: Bound,
  bindings: Bindings,
): { readonly [Name in keyof Bindings]: ReturnType<Bindings[Name]> } {
  const operations = Object.entries(bindings).map(([name, binding]) => [name, binding(bound)]);
  return Object.fromEntries(operations) as { readonly [Name in keyof Bindings]: ReturnType<Bindings[Name]> };
}

import type { Session } from "./connection.ts";
import { statement } from "./statement.ts";

/** Tells databases apart, also those of different servers that have the same name. */
export type DatabaseIdentity = string;

const mayAskServer = statement<[boolean]>("may_ask_server", "SELECT has_function_privilege('pg_catalog.pg_control_system()', 'execute')");

/** Of the database alone, for servers that keep who they are to themselves. */
const ofDatabase = statement<[string]>(
  "database_identity",
  "SELECT concat_ws(' ', oid::text, datname) FROM pg_database WHERE datname = current_database()",
);

const ofServerToo = statement<[string]>(
  "server_identity",
  `SELECT concat_ws(' ', (SELECT system_identifier FROM pg_control_system())::text, oid::text, datname)
  FROM pg_database WHERE datname = current_database()`,
);

/** How the databases behind connections are told apart. */
export interface IdentityCheck {
  /** The storage's own database. */
  readonly own: DatabaseIdentity;
  /** The database behind `session`. */
  of(session: Session): Promise<DatabaseIdentity>;
}

/** Finds out who the storage's database is, and how to ask others. */
export async function identityCheck(own: Session): Promise<IdentityCheck> {
  const [[mayAsk] = [false]] = await own.rows(mayAskServer, []);
  const ask = mayAsk ? ofServerToo : ofDatabase;
  const of = async (session: Session) => {
    const [[identity] = [""]] = await session.rows(ask, []);
    return identity;
  };
  return { own: await of(own), of };
}

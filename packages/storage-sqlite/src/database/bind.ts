import type { Connection } from "./connection.ts";
import type { Part, Parts, Unfinished } from "./parts.ts";
import type { QueryContext } from "./statement.ts";

/** Prepares an operation for one connection: a synchronous function that opens no transaction. */
export type Prepare<Args extends readonly unknown[], Result> = (context: QueryContext) => (...args: Args) => Result;

/** The storage's open state. Throws if the storage is closed. */
export type Current<Open = object> = () => Open & { readonly connection: Connection };

/** An operation that gets the open connection when it is called. */
type Binding<Args extends readonly unknown[], Result> = (current: () => Connection) => (...args: Args) => Promise<Result>;
type BindingNow<Args extends readonly unknown[], Result> = (current: () => Connection) => (...args: Args) => Result | Promise<Result>;

/** An operation that is one reading statement. */
export const query = binding("query");

/** An operation that may be several reading statements, on one state of the database. */
export const read = binding("read");

/** Like {@link query}, without a promise if it need not wait. */
export function queryNow<Args extends readonly unknown[], Result>(prepare: Prepare<Args, Result>): BindingNow<Args, Result> {
  return (current) =>
    (...args) =>
      current().queryPrepared(prepare, args);
}

/** Like {@link read}, without a promise if it need not wait. */
export const readNow = bindingNow("read");

/**
 * Like {@link readNow}, for an operation that may read for long, each part on a state of the database of its own. It gets what the part
 * before it has read.
 *
 * @param parts those of all operations that share the event loop's time
 */
export function readInParts<So, Args extends readonly unknown[], Result>(
  parts: Parts,
  prepare: Prepare<[part: Part<So>, ...args: Args], Result | Unfinished<So>>,
): BindingNow<Args, Result> {
  return (current) =>
    (...args) => {
      const connection = current();
      return parts.run((begin: () => Part<So>) => connection.read(() => connection.prepared(prepare)(begin(), ...args)));
    };
}

/** An operation that writes everything or nothing. */
export const write = binding("write");

/** Like {@link write}, without a promise if it need not wait. */
export const writeNow = bindingNow("write");

/**
 * An operation that writes everything or nothing; in a transaction with others, if a call is short: see {@link Connection.writeTogether}.
 *
 * @param isShort @default every call is
 */
export function writeTogether<Args extends readonly unknown[], Result>(
  prepare: Prepare<Args, Result>,
  isShort: (...args: Args) => boolean = () => true,
): Binding<Args, Result> {
  return (current) =>
    async (...args) => {
      const connection = current();
      const work = () => connection.prepared(prepare)(...args);
      return isShort(...args) ? connection.writeTogether(work) : connection.write(work);
    };
}

/** Like {@link write}, but null at once where it would have to wait. */
export function writeIfFree<Args extends readonly unknown[], Result>(prepare: Prepare<Args, Result>): Binding<Args, Result | null> {
  return (current) =>
    async (...args) => {
      const connection = current();
      return connection.writeIfFree(() => connection.prepared(prepare)(...args));
    };
}

/** An operation that is a step of long work, which can be repeated: see {@link Connection.step}. */
export const step = binding("step");

/** An operation that writes a part of long work: see {@link Connection.part}. */
export const part = binding("part");

/** An operation that first looks, without a transaction, whether there is work; then it writes, else it answers `nothing`. */
export const writeIf = lookingFirst("write");

/** Like {@link writeIf}, in a transaction with others: see {@link Connection.writeTogether}. */
export const writeTogetherIf = lookingFirst("writeTogether");

/** Makes a part of the storage of operations. Each is prepared on its first call, once for each connection. */
export function bind<Bindings extends Readonly<Record<string, BindingNow<never, unknown>>>>(
  current: Current,
  bindings: Bindings,
): { readonly [Name in keyof Bindings]: ReturnType<Bindings[Name]> } {
  const connection = () => current().connection;
  const bound = Object.entries(bindings).map(([name, binding]) => [name, binding(connection)]);
  return Object.fromEntries(bound) as { readonly [Name in keyof Bindings]: ReturnType<Bindings[Name]> };
}

function binding(transaction: "query" | "read" | "write" | "step" | "part") {
  return <Args extends readonly unknown[], Result>(prepare: Prepare<Args, Result>): Binding<Args, Result> =>
    (current) =>
    async (...args) => {
      const connection = current();
      return connection[transaction](() => connection.prepared(prepare)(...args));
    };
}

function bindingNow(transaction: "read" | "write") {
  return <Args extends readonly unknown[], Result>(prepare: Prepare<Args, Result>): BindingNow<Args, Result> =>
    (current) =>
    (...args) => {
      const connection = current();
      return connection[transaction](() => connection.prepared(prepare)(...args));
    };
}

function lookingFirst(transaction: "write" | "writeTogether") {
  return <Args extends readonly unknown[], Result, Nothing>(
    look: Prepare<Args, boolean>,
    prepare: Prepare<Args, Result>,
    nothing: Nothing,
  ): Binding<Args, Result | Nothing> =>
    (current) =>
    async (...args) => {
      const connection = current();
      const isAny = await connection.query(() => connection.prepared(look)(...args));
      return isAny ? connection[transaction](() => connection.prepared(prepare)(...args)) : nothing;
    };
}

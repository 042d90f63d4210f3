import { BoundedList, cut } from "./bounds.ts";
import { BelfryError, type Issue } from "./errors.ts";
import { type Check, describe, isPlain, shown, stringIssue, whole } from "./parse-text.ts";

const MAX_MESSAGE = 300;
const MAX_PATH = 8;

/** Collects the issues of an input. It keeps the first 20, with a limited length, and counts the rest. */
export class IssueList {
  /** Made with the first issue: most inputs have none. */
  #list: BoundedList<Issue> | null = null;

  /** Whether nothing is wrong. */
  get isEmpty(): boolean {
    return this.#list === null || this.#list.values.length === 0;
  }

  /** Whether further issues are only counted. */
  get isFull(): boolean {
    return this.#list !== null && this.#list.more > 0;
  }

  get #made(): BoundedList<Issue> {
    this.#list ??= new BoundedList<Issue>();
    return this.#list;
  }

  /** Adds what was found, if anything was. A caller with very many issues passes a function, which is not called for those beyond the bound. */
  add(issue: Issue | (() => Issue) | null): void {
    if (issue !== null) {
      this.#made.add(() => shortened(typeof issue === "function" ? issue() : issue));
    }
  }

  /** Adds several. */
  addAll(issues: Iterable<Issue | null>): void {
    for (const issue of issues) {
      this.add(issue);
    }
  }

  /** Adds what another list has, and what that one only counted. */
  addList(other: IssueList): void {
    if (other.#list !== null) {
      this.addAll(other.#list.values);
      this.#made.skip(other.#list.more);
    }
  }

  /** Counts issues that were not looked for; infinitely many, where their number is not known. */
  skip(count: number): void {
    this.#made.skip(count);
  }

  /** Throws a `VALIDATION_ERROR` that names the issues, unless there are none. */
  done(): void {
    if (!this.isEmpty) {
      throw this.error();
    }
  }

  /** A `VALIDATION_ERROR` over the issues. Its message names them, and the last one says how many more there are. */
  error(): BelfryError {
    const { values, more } = this.#made;
    const others = more === Number.POSITIVE_INFINITY ? "more issues" : `${more} more issues`;
    const issues = values.map((issue, at) =>
      more > 0 && at === values.length - 1 ? { ...issue, message: `${issue.message} (and ${others})` } : issue,
    );
    const text = issues.map((issue) => `${issue.path.join(".") || "input"}: ${issue.message}`).join("; ");
    return new BelfryError("VALIDATION_ERROR", text, { issues });
  }
}

function shortened({ path, message, type }: Issue): Issue {
  const shown = path.slice(0, MAX_PATH).map((key) => (typeof key === "string" ? cut(key) : key));
  return { path: shown, message: cut(message, MAX_MESSAGE), type };
}

/**
 * A `VALIDATION_ERROR` over issues, as {@link IssueList.error} words it.
 *
 * @example
 * ```ts
 * throw validationError([{ path: ["limit"], type: "too_many", message: "is 100 at the most" }]);
 * ```
 */
export function validationError(issues: Iterable<Issue>): BelfryError {
  const list = new IssueList();
  list.addAll(issues);
  return list.error();
}

/** Makes the checks of the page of a list: `limit` is a whole number from 1 to `most`, `offset` one from 0. */
export function pageChecks(most: number): ChecksOf<{ limit: number; offset: number }> {
  return { limit: whole({ min: 1, max: most }), offset: whole({ min: 0 }) };
}

/** Throws a `VALIDATION_ERROR` for the issues that were found, unless there are none. */
export function requireNone(issues: readonly (Issue | null)[]): void {
  const found = issues.filter((issue) => issue !== null);
  if (found.length > 0) {
    throw validationError(found);
  }
}

/** Checks an id that a caller passed: whether it is a text, not whether it exists. @throws BelfryError `VALIDATION_ERROR` */
export function requireId(id: unknown): asserts id is string {
  requireNone([stringIssue(id, "id")]);
}

/** Checks that a caller passed a list. @throws BelfryError `VALIDATION_ERROR` */
export function requireList(given: unknown, name: string): void {
  if (!Array.isArray(given)) {
    throw validationError([{ path: [name], type: "list_type", message: `must be a list, is ${describe(given)}` }]);
  }
}

/**
 * Checks that a listener has its functions. It may be an instance of a class, with more of its own.
 * @throws BelfryError `VALIDATION_ERROR`
 */
export function requireFunctions(what: string, given: unknown, names: readonly string[]): void {
  if (!hasFunctions(given, names)) {
    throw validationError([
      { path: [], type: "missing", message: `${what} is an object with ${names.join("() and ")}(); got ${describe(given)}` },
    ]);
  }
}

/** Whether `value` is an object with these functions, its own or its class's. */
export function hasFunctions(value: unknown, names: readonly string[]): boolean {
  const given = value as Readonly<Record<string, unknown>> | null;
  return typeof value === "object" && given !== null && names.every((name) => typeof given[name] === "function");
}

/** Checks the logger and the clock that a host brings, where it brings them. @throws BelfryError `CONFIGURATION` */
export function requireLoggerAndClock(options: object): void {
  requireOption(options, "logger", ["debug", "info", "warn", "error"]);
  requireOption(options, "clock", ["now", "after"]);
}

/** Checks an option that is an object with functions, if it is given. @throws BelfryError `CONFIGURATION` */
export function requireOption(options: object, name: string, functions: readonly string[]): void {
  const given = (options as Readonly<Record<string, unknown>>)[name];
  if (given !== undefined && !hasFunctions(given, functions)) {
    throw new BelfryError("CONFIGURATION", `${name} must be an object with ${functions.join("(), ")}(), is ${describe(given)}.`);
  }
}

/** Every member of an object type by name: one that is left out does not compile. */
export type MembersOf<Type> = Readonly<Record<keyof Type, true>>;

/** Every member of an input by name, with its check: one that is left out does not compile. */
export type ChecksOf<Input> = Readonly<Record<keyof Input, Check>>;

/** The checks of members, by name. */
export type Checks = Readonly<Record<string, Check>>;

/** Checks that an input has no members but these, by {@link strangerIn}, and then those given. @throws BelfryError `VALIDATION_ERROR` */
export function requireInput(what: string, given: object, checks: Checks): void {
  requireMembers(what, given, checks);
  const issues = new IssueList();
  for (const name in checks) {
    const value = (given as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) {
      issues.add(checks[name]?.(value, name) ?? null);
    }
  }
  issues.done();
}

/** What calls of the library call by another name than a wire does, or than they did before. */
const SYNONYMS: Readonly<Record<string, string>> = {
  subject: "title",
  meta: "data",
  channel: "channels",
  sender: "actor",
  message: "content",
  content: "message",
  room_id: "roomId",
  transaction: "tx",
  recipients: "to",
};

/** The members of something that takes an object, by name. */
export type Members = Readonly<Record<string, unknown>>;

/**
 * Says why `given` is not an object of these members, and null if it is one. Nothing a caller says is ignored: a misspelt
 * name is a mistake that would show much later. Of an instance of a class, the own members count; one that has none, such as
 * a Date or a Promise, is not what was asked for. Hot calls use this: it allocates nothing for a good object.
 *
 * @param what names what takes the members, for example `create`
 */
export function strangerIn(what: string, given: unknown, known: Members): string | null {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return `${what} takes an object of ${namesOf(known)}; got ${describe(given)}`;
  }
  let isEmpty = true;
  for (const name in given) {
    const isKnown = known[name] === true || Object.hasOwn(known, name);
    // To ask for own members costs more than all else: once is enough for a good object.
    if ((isEmpty || !isKnown) && Object.hasOwn(given, name)) {
      if (!isKnown) {
        return `${what} takes ${namesOf(known)}; got ${shown(name)}${otherNameOf(name, known)}`;
      }
      isEmpty = false;
    }
  }
  return isEmpty && !isPlain(given) ? `${what} takes an object of ${namesOf(known)}; got ${describe(given)}` : null;
}

/** Checks an input of the public API by {@link strangerIn}. @throws BelfryError `VALIDATION_ERROR` that names the known members */
export function requireMembers(what: string, given: unknown, known: Members): void {
  const message = strangerIn(what, given, known);
  if (message !== null) {
    throw validationError([{ path: [], type: "unexpected", message }]);
  }
}

/**
 * Checks the options that a host configures something with: for authors of channels, processors and storages too.
 *
 * @param what names what takes the options, for example `email`
 * @param known every option by name, for example `{ transport: true, from: true }`
 * @throws BelfryError `CONFIGURATION` for what is no object, and for a member that is not known; it names the known ones
 *
 * @example
 * ```ts
 * requireOptions("pager", options, { url: true, token: true });
 * ```
 */
export function requireOptions(what: string, given: unknown, known: Readonly<Record<string, true>>): void {
  const message = strangerIn(what, given, known);
  if (message !== null) {
    throw new BelfryError("CONFIGURATION", `${message}.`);
  }
}

/** Checks the values of options. @throws BelfryError `CONFIGURATION` that names the first that is wrong */
export function requireConfiguration(whose: string, issues: readonly (Issue | null)[]): void {
  const [first] = issues.filter((issue) => issue !== null);
  if (first !== undefined) {
    throw new BelfryError("CONFIGURATION", `${whose} ${first.path.join(".")} ${first.message}.`);
  }
}

function otherNameOf(name: string, known: Members): string {
  const other = Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name] : undefined;
  if (other !== undefined && Object.hasOwn(known, other)) {
    return `, which is ${other} here`;
  }
  const isTransaction = (other === "tx" || name === "tx") && Object.hasOwn(known, "to");
  return isTransaction ? ", which stands beside the input: (input, { tx })" : "";
}

function namesOf(known: Members): string {
  return Object.keys(known).join(", ");
}

import { BoundedList, cut } from "./bounds.ts";
import { BelfryError, type Issue } from "./errors.ts";

const MAX_MESSAGE = 300;
const MAX_PATH = 8;

/** Collects the issues of an input. It keeps the first 20, with a limited length, and counts the rest. */
export class IssueList {
  readonly #list = new BoundedList<Issue>();

  /** Whether nothing is wrong. */
  get isEmpty(): boolean {
    return this.#list.values.length === 0;
  }

  /** Whether further issues are only counted. */
  get isFull(): boolean {
    return this.#list.more > 0;
  }

  /** The issues that were kept. */
  get shown(): readonly Issue[] {
    return this.#list.values;
  }

  /** Adds what was found, if anything was. A caller with very many issues passes a function, which is not called for those beyond the bound. */
  add(issue: Issue | (() => Issue) | null): void {
    if (issue !== null) {
      this.#list.add(() => shortened(typeof issue === "function" ? issue() : issue));
    }
  }

  /** Adds several. */
  addAll(issues: Iterable<Issue>): void {
    for (const issue of issues) {
      this.add(issue);
    }
  }

  /** Adds what another list has, and what that one only counted. */
  addList(other: IssueList): void {
    this.addAll(other.#list.values);
    this.#list.skip(other.#list.more);
  }

  /** Counts issues that were not looked for; infinitely many, where their number is not known. */
  skip(count: number): void {
    this.#list.skip(count);
  }

  /** Throws a `VALIDATION_ERROR` that names the issues, unless there are none. */
  done(): void {
    if (!this.isEmpty) {
      throw this.error();
    }
  }

  /** A `VALIDATION_ERROR` over the issues. Its message names them, and the last one says how many more there are. */
  error(): BelfryError {
    const { values, more } = this.#list;
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

/** A `VALIDATION_ERROR` over issues, as {@link IssueList.error} words it. */
export function validationError(issues: Iterable<Issue>): BelfryError {
  const list = new IssueList();
  list.addAll(issues);
  return list.error();
}

/** Says what is wrong with the page of a list: `limit` is a whole number from 1 to `most`, `offset` one from 0. */
export function pageIssues({ limit, offset = 0 }: { readonly limit: unknown; readonly offset?: unknown }, most: number): readonly Issue[] {
  const isInRange = (value: unknown, least: number) => Number.isSafeInteger(value) && (value as number) >= least;
  const of = (name: string, range: string, value: unknown): Issue => {
    return { path: [name], type: "range", message: `must be a whole number ${range}, is ${String(value)}` };
  };
  return [
    ...(isInRange(limit, 1) && (limit as number) <= most ? [] : [of("limit", `from 1 to ${most}`, limit)]),
    ...(isInRange(offset, 0) ? [] : [of("offset", "from 0", offset)]),
  ];
}

/** Every member of an object type by name: one that is left out does not compile. */
export type MembersOf<Type> = Readonly<Record<keyof Type, true>>;

/**
 * Says that `given` has a member that nobody reads; null when it has none. Nothing a caller says is ignored: a misspelt name
 * is a mistake that would show much later.
 *
 * @param what names what takes the members, for example `create`
 */
export function strangerIn(what: string, given: object, known: Readonly<Record<string, true>>): string | null {
  const stranger = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  return stranger === undefined ? null : `${what} takes ${Object.keys(known).join(", ")}; got ${JSON.stringify(stranger.slice(0, 64))}`;
}

import { IssueList, type Members, type MembersOf, pageIssues, requireMembers, requireNone } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import { parseJsonObject } from "../foundation/parse-json.ts";
import { NAME_RULE, type TextRule, textIssue } from "../foundation/parse-text.ts";
import { filterIssues } from "./filter.ts";
import type { HubRange } from "./hub-storage.ts";

/** The input of an event, pushed in by a source. */
export interface EventInput {
  /** The service it comes from: 1 to 255 characters. */
  readonly source: string;
  /** Who caused it there, by that service's own id: 1 to 255 characters. */
  readonly sender: string;
  /** At most 100,000 characters. */
  readonly content: string;
  /** Handlers' filters look at it. At most 256 KiB as JSON. @default {} */
  readonly metadata?: object;
}

/** Who somebody is to one source. */
export interface IdentityInput {
  readonly source: string;
  /** Their id there: 1 to 255 characters. */
  readonly sourceId: string;
  /** 1 to 255 characters. */
  readonly name: string;
  /** If it is left out, the stored metadata stays. */
  readonly metadata?: object;
}

/** The input of a handler. */
export interface HandlerInput {
  readonly source: string;
  /** The instruction for the processor: 1 to 100,000 characters. */
  readonly prompt: string;
  /** Which events of the source: conditions on their metadata, see docs/guides/hub.md. @default {} every one */
  readonly filter?: object;
}

/** The changes to a handler. Members that are left out stay. */
export type HandlerChanges = Partial<HandlerInput>;

/** Which page of a list: `limit` is 1 to 100, 50 if left out; the newest come first. */
export interface HubListInput {
  readonly limit?: number;
  readonly offset?: number;
}

const EVENT: MembersOf<EventInput> = { source: true, sender: true, content: true, metadata: true };
const IDENTITY: MembersOf<IdentityInput> = { source: true, sourceId: true, name: true, metadata: true };
const HANDLER: MembersOf<HandlerInput> = { source: true, prompt: true, filter: true };

/** E-mails come in whole; what is longer belongs behind a link. */
const CONTENT_RULE: TextRule = { maxLength: 100_000 };
const PROMPT_RULE: TextRule = { minLength: 1, maxLength: 100_000 };
/** A filter is evaluated for every event of its source. */
const MAX_FILTER_BYTES = 16 * 1024;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;

/** Checks an event's input; throws `VALIDATION_ERROR` with everything that is wrong. */
export function parseEvent(input: EventInput): Required<EventInput> & { readonly metadata: JsonObject } {
  const check = new Check("an event", input, EVENT);
  check.text("source", NAME_RULE);
  check.text("sender", NAME_RULE);
  check.text("content", CONTENT_RULE);
  const metadata = check.object("metadata", {});
  check.done();
  return { source: input.source, sender: input.sender, content: input.content, metadata };
}

/** Checks an identity's input; its metadata is null when none was given. */
export function parseIdentity(
  input: IdentityInput,
): Pick<IdentityInput, "source" | "sourceId" | "name"> & { readonly metadata: JsonObject | null } {
  const check = new Check("an identity", input, IDENTITY);
  check.text("source", NAME_RULE);
  check.text("sourceId", NAME_RULE);
  check.text("name", NAME_RULE);
  const metadata = input?.metadata === undefined ? null : check.object("metadata", {});
  check.done();
  return { source: input.source, sourceId: input.sourceId, name: input.name, metadata };
}

/** Checks a new handler's input. */
export function parseHandler(input: HandlerInput): Pick<HandlerInput, "source" | "prompt"> & { readonly filter: JsonObject } {
  const check = new Check("a handler", input, HANDLER);
  check.text("source", NAME_RULE);
  check.text("prompt", PROMPT_RULE);
  const filter = check.filter();
  check.done();
  return { source: input.source, prompt: input.prompt, filter };
}

/** Checks what is to change in a handler. */
export function parseHandlerChanges(changes: HandlerChanges): Partial<ReturnType<typeof parseHandler>> {
  const check = new Check("a handler", changes, HANDLER);
  const { source, prompt } = changes;
  if (source !== undefined) {
    check.text("source", NAME_RULE);
  }
  if (prompt !== undefined) {
    check.text("prompt", PROMPT_RULE);
  }
  const filter = changes.filter === undefined ? undefined : check.filter();
  check.done();
  return { ...(source === undefined ? {} : { source }), ...(prompt === undefined ? {} : { prompt }), ...(filter && { filter }) };
}

/** Checks which page of a list is asked for. */
export function parseRange<Input extends HubListInput>(input: Input, filters: MembersOf<Omit<Input, keyof HubListInput>>): HubRange {
  requireMembers("list", input, { ...filters, limit: true, offset: true });
  const { limit = DEFAULT_LIMIT, offset = 0 } = input;
  requireNone(pageIssues({ limit, offset }, MAX_LIMIT));
  return { limit, offset };
}

/** Checks what a list or a look-up goes by: each text that is given is storable; returns those that are given. */
export function parseNames<Name extends string>(
  names: { readonly [Key in Name]?: string | undefined },
): { readonly [Key in Name]?: string } {
  const given = Object.entries(names).filter(([, value]) => value !== undefined);
  requireNone(given.map(([name, value]) => textIssue(value, [name], { maxLength: 255 })));
  return Object.fromEntries(given) as { readonly [Key in Name]?: string };
}

/** Collects what is wrong with the members of an input. */
class Check {
  readonly #input: Readonly<Record<string, unknown>>;
  readonly #issues = new IssueList();

  constructor(what: string, input: object, known: Members) {
    requireMembers(what, input, known);
    this.#input = input as Record<string, unknown>;
  }

  text(member: string, rule: TextRule): void {
    this.#issues.add(textIssue(this.#input[member], [member], rule));
  }

  object(member: string, fallback: JsonObject): JsonObject {
    const parsed = parseJsonObject(this.#input[member] ?? fallback, [member]);
    if ("issues" in parsed) {
      this.#issues.addList(parsed.issues);
      return fallback;
    }
    return parsed.value;
  }

  filter(): JsonObject {
    const filter = this.object("filter", {});
    const bytes = new TextEncoder().encode(JSON.stringify(filter)).length;
    if (bytes > MAX_FILTER_BYTES) {
      this.#issues.add({ path: ["filter"], type: "too_long", message: `must be at most ${MAX_FILTER_BYTES} bytes as JSON, is ${bytes}` });
    }
    this.#issues.addAll(filterIssues(filter, ["filter"]));
    return filter;
  }

  done(): void {
    this.#issues.done();
  }
}

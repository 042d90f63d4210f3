import type { Issue } from "../foundation/errors.ts";
import { filterIssues } from "../foundation/filter.ts";
import { IssueList, pageChecks, requireInput, requireMembers } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import { parseJsonObject } from "../foundation/parse-json.ts";
import { NAME_RULE, type TextRule, text, textIssue } from "../foundation/parse-text.ts";
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

/** E-mails come in whole; what is longer belongs behind a link. */
const CONTENT_RULE: TextRule = { maxLength: 100_000 };
const PROMPT_RULE: TextRule = { minLength: 1, maxLength: 100_000 };
/** A filter is evaluated for every event of its source. */
const MAX_FILTER_BYTES = 16 * 1024;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;

/** The members of an input of the hub: one JSON object, and texts with their rules. */
interface Shape<Input, Json extends keyof Input> {
  /** Names the input in errors, for example `an event`. */
  readonly what: string;
  readonly texts: Readonly<Record<Exclude<keyof Input, Json>, TextRule>>;
  readonly json: Json;
}

const EVENT: Shape<EventInput, "metadata"> = {
  what: "an event",
  texts: { source: NAME_RULE, sender: NAME_RULE, content: CONTENT_RULE },
  json: "metadata",
};
const IDENTITY: Shape<IdentityInput, "metadata"> = {
  what: "an identity",
  texts: { source: NAME_RULE, sourceId: NAME_RULE, name: NAME_RULE },
  json: "metadata",
};
const HANDLER: Shape<HandlerInput, "filter"> = {
  what: "a handler",
  texts: { source: NAME_RULE, prompt: PROMPT_RULE },
  json: "filter",
};

/** Checks an event's input; throws `VALIDATION_ERROR` with everything that is wrong. */
export function parseEvent(input: EventInput): Parsed<EventInput, "metadata"> {
  return parse(EVENT, input);
}

/** Checks an identity's input; its metadata is null when none was given. */
export function parseIdentity(input: IdentityInput): Omit<IdentityInput, "metadata"> & { readonly metadata: JsonObject | null } {
  const parsed = parse(IDENTITY, input);
  return input.metadata === undefined ? { ...parsed, metadata: null } : parsed;
}

/** Checks a new handler's input. */
export function parseHandler(input: HandlerInput): Parsed<HandlerInput, "filter"> {
  return parse(HANDLER, input, issuesOfFilter);
}

/** Checks what is to change in a handler, and returns that alone. */
export function parseHandlerChanges(changes: HandlerChanges): Partial<Parsed<HandlerInput, "filter">> {
  requireMembers(HANDLER.what, changes, { ...HANDLER.texts, filter: true });
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  // What stays is valid, whichever it is.
  const parsed = parseHandler({ source: "-", prompt: "-", ...Object.fromEntries(given) });
  return Object.fromEntries(given.map(([name]) => [name, parsed[name as keyof HandlerInput]]));
}

function issuesOfFilter(filter: JsonObject): readonly Issue[] {
  const bytes = new TextEncoder().encode(JSON.stringify(filter)).length;
  const message = `must be at most ${MAX_FILTER_BYTES} bytes as JSON, is ${bytes}`;
  return [...(bytes > MAX_FILTER_BYTES ? [{ path: ["filter"], type: "too_long", message }] : []), ...filterIssues(filter, ["filter"])];
}

/** Checks which page of a list is asked for, and the texts called `names` that it goes by; returns those that are given. */
export function parseList<Name extends string>(
  input: HubListInput & { readonly [Key in Name]?: string },
  names: readonly Name[],
): HubRange & { readonly [Key in Name]?: string } {
  const texts = Object.fromEntries(names.map((name) => [name, text({ maxLength: 255 })]));
  requireInput("list", input, { ...texts, ...pageChecks(MAX_LIMIT) });
  const { limit = DEFAULT_LIMIT, offset = 0 } = input;
  const given = names.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]);
  return { limit, offset, ...Object.fromEntries(given) };
}

/** An input as it was checked: its JSON object is a copy. */
type Parsed<Input, Json extends keyof Input> = Omit<Input, Json> & { readonly [Key in Json]: JsonObject };

function parse<Input extends object, Json extends keyof Input & string>(
  { what, texts, json }: Shape<Input, Json>,
  input: Input,
  issuesOf: (value: JsonObject) => readonly Issue[] = () => [],
): Parsed<Input, Json> {
  requireMembers(what, input, { ...texts, [json]: true });
  const issues = new IssueList();
  for (const [name, rule] of Object.entries<TextRule>(texts)) {
    issues.add(textIssue(input[name as keyof Input], [name], rule));
  }
  const parsed = parseJsonObject(input[json] ?? {}, [json]);
  if ("issues" in parsed) {
    issues.addList(parsed.issues);
    throw issues.error();
  }
  issues.addAll(issuesOf(parsed.value));
  issues.done();
  return { ...input, [json]: parsed.value };
}

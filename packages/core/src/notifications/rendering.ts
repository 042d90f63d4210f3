import { cut } from "../foundation/bounds.ts";
import type { Clock } from "../foundation/clock.ts";
import { BelfryError, textOf } from "../foundation/errors.ts";
import type { JsonObject } from "../foundation/json.ts";
import { type Check, GROUP_RULE, MESSAGE_RULE, oneLineTitleIssue, shown, TITLE_RULE, text, urlIssue } from "../foundation/parse-text.ts";
import { Cancellation, OutOfTime, withinTime } from "../work/timing.ts";

/** What a function of a type renders. */
export interface RenderSource<Data = JsonObject> {
  /** The data as it is stored: what the type's schema made of it, as JSON. */
  readonly data: Data;
  /** The language to render in, as a BCP 47 tag such as `de` or `pt-BR`. */
  readonly locale: string;
}

/** A text of a type: the same for all, or a function of the data and the language. */
export type TypeText<Data = JsonObject> = string | ((source: RenderSource<Data>) => string | Promise<string>);

/** The texts of a notification, and its link, as a type may have them. */
export interface TypeTexts<Data = JsonObject> {
  /** The title where `create` gives none. At most 1,000 code points; on one line if a channel delivers it. @default "" */
  readonly title?: TypeText<Data>;
  /** The message where `create` gives none. At most 10,000 code points. @default "" */
  readonly message?: TypeText<Data>;
  /** The link where `create` gives none, such as ``({ data }) => `/posts/${data.postId}` ``. @default none */
  readonly url?: TypeText<Data>;
}

/** The part of a type that says what its notifications belong to. */
export interface TypeGrouping<Data = JsonObject> {
  /**
   * The group where `create` gives none, such as ``({ data }) => `post:${data.postId}` ``: the same for all, or a function of the data
   * as it is stored, which answers at once. 1 to 100 characters. @default none
   */
  readonly group?: string | ((source: { readonly data: Data }) => string | null);
}

/** The longest time of a function of a type, in milliseconds. */
const RENDERING_MS = 5_000;

/** The checks of those members, which are those of the input of `create`. */
export const TEXT_CHECKS: Readonly<Record<keyof TypeTexts, Check>> = {
  title: text(TITLE_RULE),
  message: text(MESSAGE_RULE),
  url: (value, name) => urlIssue(value, [name]),
};

const MEMBERS = ["title", "message", "url"] as const satisfies readonly (keyof TypeTexts)[];

/** The bits of `rendered` of a notification. */
export const RENDERED: Readonly<Record<keyof TypeTexts | "contents", number>> = { title: 1, message: 2, url: 4, contents: 8 };

/** Whether `value` is a BCP 47 tag, such as `de` or `pt-BR`. */
export function isLocale(value: unknown): value is string {
  try {
    return typeof value === "string" && Intl.getCanonicalLocales(value).length === 1;
  } catch {
    return false;
  }
}

/** The issue of a language that is no BCP 47 tag. */
export const localeIssue: Check = (value, name) =>
  isLocale(value)
    ? null
    : { path: [name], type: "value_error", message: `must be a BCP 47 tag such as "en" or "pt-BR", got ${shown(value)}` };

/** The texts and the link that `create` gives, or a type. */
export interface Texts {
  readonly title?: string | undefined;
  readonly message?: string | undefined;
  readonly url?: string | undefined;
}

/** What to render. */
export interface Rendering {
  /** The name of the type. */
  readonly type: string;
  readonly declared: TypeTexts<never>;
  readonly data: JsonObject;
  /** What `create` gave, which wins. */
  readonly given: Texts;
  /** Whether a channel delivers it: a title that a function makes then has to be one line. @default false */
  readonly isDelivered?: boolean;
}

/** Whether a type has a text or a link that `create` did not give. */
export function rendersTexts(declared: TypeTexts<never> | undefined, given: Texts): declared is TypeTexts<never> {
  // Written out, because every create of a declared type asks.
  return (
    declared !== undefined &&
    (isWanted(declared, given, "title") || isWanted(declared, given, "message") || isWanted(declared, given, "url"))
  );
}

function isWanted(declared: TypeTexts<never>, given: Texts, member: keyof Texts): boolean {
  return declared[member] !== undefined && (given[member] ?? null) === null;
}

/** The parts that rendering uses. */
export interface RenderContext {
  readonly clock: Clock;
  /** The language to render in. */
  readonly locale: string;
  /** The longest time of a function, in milliseconds. @default 5,000 */
  readonly timeoutMs?: number;
  /** Whether the notification is stored already. @default false */
  readonly isStored?: boolean;
}

/** Texts that were rendered. */
export interface RenderedTexts extends Texts {
  /** Which of them functions made: see the field of a notification. */
  readonly rendered: number | null;
}

/**
 * The texts of a notification: those that `create` gave, else the type's. At once, unless a function of the type answers a
 * promise, or fails. Rejects with `RENDERING_FAILED` for a function that throws, takes too long or makes what `create` would refuse.
 */
export function renderTexts(context: RenderContext, rendering: Rendering): RenderedTexts | Promise<RenderedTexts> {
  const { declared, type, given, data, isDelivered = false } = rendering;
  const texts: { -readonly [Member in keyof Texts]: Texts[Member] } = { title: given.title, message: given.message, url: given.url };
  const later: Promise<void>[] = [];
  let bits = 0;
  for (const member of MEMBERS.filter((name) => isWanted(declared, given, name))) {
    const own = declared[member];
    bits |= typeof own === "function" ? RENDERED[member] : 0;
    // A plain title is checked with what create gives.
    const check = isDelivered && member === "title" && typeof own === "function" ? oneLineTitleIssue : TEXT_CHECKS[member];
    const rendered = renderMember<string>(own, { data, locale: context.locale }, { context, type, member, check });
    if (typeof rendered === "string") {
      texts[member] = rendered;
    } else {
      const keep = (value: string) => {
        texts[member] = value;
      };
      later.push(rendered.then(keep));
    }
  }
  const all = { ...texts, rendered: bits === 0 ? null : bits };
  return later.length === 0 ? all : Promise.all(later).then(() => ({ ...all, ...texts }));
}

/** The texts of a stored notification. */
export interface StoredTexts {
  readonly title: string;
  readonly message: string;
  readonly url: string | null;
}

/** A stored notification that is shown in a language. */
export interface RenderingAgain {
  readonly notification: StoredTexts & { readonly type: string; readonly rendered: number | null };
  /** The present declaration of its type. */
  readonly declared: TypeTexts<never> | undefined;
  readonly data: JsonObject;
}

/**
 * The texts of a stored notification in a language. Those that functions of its type made are made anew, if the type still has
 * them; the others are as they are stored. Rejects as {@link renderTexts} does.
 */
export async function renderAgain(context: RenderContext, { notification, declared, data }: RenderingAgain): Promise<StoredTexts> {
  const { type, title, message, url } = notification;
  const bits = notification.rendered ?? 0;
  const own: { -readonly [Member in keyof TypeTexts<never>]: TypeText<never> | undefined } = {};
  for (const member of MEMBERS) {
    own[member] = (bits & RENDERED[member]) === 0 ? undefined : declared?.[member];
  }
  const texts = await renderTexts({ ...context, isStored: true }, { declared: own as TypeTexts<never>, type, data, given: {} });
  return { title: texts.title ?? title, message: texts.message ?? message, url: texts.url ?? url };
}

/** What is rendered: a text, or what else a type may have. */
export interface RenderedMember {
  readonly context: RenderContext;
  readonly type: string;
  readonly member: string;
  /** The channel that it is for. @default none */
  readonly channel?: string;
  readonly check: Check;
}

/** Renders one member. All that fails is a rejection, so that others under way are not left alone. */
export function renderMember<Value>(own: unknown, source: object, rendered: RenderedMember): Value | Promise<Value> {
  try {
    const value: unknown = typeof own === "function" ? own(source) : own;
    return isPromise(value) ? renderLater(value, rendered) : checked(value, rendered);
  } catch (error) {
    return Promise.reject(failure(rendered, error));
  }
}

async function renderLater<Value>(value: Promise<unknown>, rendered: RenderedMember): Promise<Value> {
  const { clock, timeoutMs = RENDERING_MS } = rendered.context;
  const limit = { clock, timeoutMs, cancellation: new Cancellation() };
  try {
    return checked(await withinTime(() => value, limit), rendered);
  } catch (error) {
    throw failure(rendered, error);
  }
}

/** What groups a notification by its type. */
export interface Grouping {
  readonly type: string;
  readonly declared: TypeGrouping<never> | undefined;
  readonly data: JsonObject;
}

/** The group that a type gives a notification; null for none. Throws `RENDERING_FAILED` for a function that throws, or makes what `create` would refuse. */
export function groupOfType(context: RenderContext, { type, declared, data }: Grouping): string | null {
  const own: unknown = declared?.group;
  if (own === undefined) {
    return null;
  }
  const rendered = { context, type, member: "group", check: GROUP_CHECK };
  try {
    const group: unknown = typeof own === "function" ? own({ data }) : own;
    return group === null || group === undefined ? null : checked<string>(group, rendered);
  } catch (error) {
    throw failure(rendered, error);
  }
}

/** The check of a group that a type declares, or makes. */
export const GROUP_CHECK: Check = text(GROUP_RULE);

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}

/** What a function made cannot be used. */
class Unusable extends Error {}

function checked<Value>(value: unknown, { context, member, check }: RenderedMember): Value {
  const issue = check(value, member);
  if (issue !== null) {
    throw new Unusable(`made what cannot be ${context.isStored ? "delivered" : "stored"}: ${issue.message}`);
  }
  // The check has seen to it.
  return value as Value;
}

function failure({ context, type, member, channel }: RenderedMember, cause: unknown): BelfryError {
  const { timeoutMs = RENDERING_MS, isStored = false } = context;
  const threw = cause instanceof OutOfTime ? `took longer than ${timeoutMs} ms` : `threw: ${cut(textOf(cause))}`;
  const what = cause instanceof Unusable ? cause.message : threw;
  const where = channel === undefined ? "" : ` for the channel ${shown(channel)}`;
  const message = `The function ${member}${where} of the type ${shown(type)} ${what}.${isStored ? "" : " Nothing is written."}`;
  const details = { type, member, ...(channel !== undefined && { channel }) };
  return new BelfryError("RENDERING_FAILED", message, { cause, details });
}

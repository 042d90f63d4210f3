import { z } from "zod";
import { isUuid } from "../foundation/ids.ts";
import { textIssue } from "../foundation/parse-text.ts";

/**
 * Splits a request's target into its path and its query. The query is the text after the first question mark, including any
 * further ones.
 */
export function splitUrl(url: string): { readonly path: string; readonly search: string } {
  const at = url.indexOf("?");
  return at === -1 ? { path: url, search: "" } : { path: url.slice(0, at), search: url.slice(at + 1) };
}

/** A text that every storage stores unchanged: well-formed Unicode without NUL, with a limited length in code points. */
export function text(rule: { readonly minLength?: number; readonly maxLength: number; readonly description: string }) {
  return z
    .string({ error: (issue) => (issue.input === undefined ? "Field required" : "Input should be a valid string") })
    .superRefine((value, context) => {
      const issue = textIssue(value, [], rule);
      if (issue) {
        context.addIssue({ code: "custom", message: capitalised(issue.message), params: { type: issue.type } });
      }
    })
    .meta({ description: rule.description, override: { minLength: rule.minLength ?? 0, maxLength: rule.maxLength } });
}

/** A whole number written in a path or query. */
export function integer(rule: { readonly min: number; readonly max?: number; readonly description: string }) {
  const { min, max = Number.MAX_SAFE_INTEGER } = rule;
  return z
    .string({ error: "Field required" })
    .transform((value, context) => {
      const number = /^[+-]?\d{1,18}$/.test(value) ? Number(value) : Number.NaN;
      const problem = integerProblem(number, min, max);
      if (problem) {
        context.addIssue({ code: "custom", message: problem.message, params: { type: problem.type } });
        return z.NEVER;
      }
      return number;
    })
    .meta({
      description: rule.description,
      override: { type: "integer", minimum: min, ...(rule.max === undefined ? {} : { maximum: rule.max }) },
    });
}

function integerProblem(number: number, min: number, max: number): { message: string; type: string } | null {
  if (Number.isNaN(number)) {
    return { type: "int_parsing", message: "Input should be a valid integer, unable to parse string as an integer" };
  }
  if (number < min) {
    return { type: "greater_than_equal", message: `Input should be greater than or equal to ${min}` };
  }
  return number > max ? { type: "less_than_equal", message: `Input should be less than or equal to ${max}` } : null;
}

/**
 * A list of at most `max` elements. A longer list is refused by its length, without a look at its elements: half a million
 * wrong elements would give as many issues.
 */
export function list<Element extends z.ZodType>(element: Element, rule: ListRule): z.ZodType<z.output<Element>[]> {
  const { max, items, error, description, tooLong } = rule;
  return z
    .unknown()
    .superRefine((value, context) => {
      if (Array.isArray(value) && value.length > max) {
        const message = tooLong ?? `List should have at most ${max} items after validation, not ${value.length}`;
        context.addIssue({ code: "custom", message, params: { type: "too_long" } });
      }
    })
    .pipe(z.array(element, error === undefined ? {} : { error }))
    .meta({ ...(description === undefined ? {} : { description }), override: { type: "array", items: { type: items }, maxItems: max } });
}

/** Options of a list parameter. */
interface ListRule {
  readonly max: number;
  /** The type of its elements, for the documentation. */
  readonly items: "string" | "integer";
  readonly description?: string;
  /** The message for a value that is no list. */
  readonly error?: string | ((issue: { readonly input?: unknown }) => string);
  /** The message for too many elements. @default one that says how many there are */
  readonly tooLong?: string;
}

/** A JSON object, passed on unchanged. Its users check its content. */
export function jsonObject(description: string) {
  return z
    .custom<object>((value) => typeof value === "object" && value !== null && !Array.isArray(value), "Input should be a valid dictionary")
    .meta({ description, override: { type: "object", additionalProperties: true } });
}

/** One of a few words. */
export function choice<const Words extends readonly [string, ...string[]]>(words: Words, description: string) {
  const listed = words.map((word) => `'${word}'`);
  const message = `Input should be ${listed.slice(0, -1).join(", ")} or ${listed.at(-1)}`;
  return z.enum(words, { error: message }).meta({ description });
}

/** A UUID in a path. */
export function uuid(description: string) {
  return z
    .string()
    .refine(isUuid, { error: "Input should be a valid UUID", params: { type: "uuid_parsing" } })
    .transform((value) => value.toLowerCase())
    .meta({ description, override: { type: "string", format: "uuid" } });
}

/** A date in the format of every contract. */
export const timestamp = z.string().meta({ description: "ISO 8601, UTC, milliseconds", format: "date-time" });

function capitalised(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

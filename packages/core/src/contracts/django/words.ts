import { cut } from "../../foundation/bounds.ts";

// The texts of Django REST framework for values that it refuses: clients may show them, or look for them.

/** The text for a value, by what was sent. */
interface Words {
  error(issue: { readonly input?: unknown }): string;
}

/** The words of a field, which has its own for null. */
function ofField(text: (input: unknown) => string): Words {
  return { error: ({ input }) => (input === null ? "This field may not be null." : text(input)) };
}

/** The words for a body that is no object. */
export const dictionary: Words = {
  error: ({ input }) => (input == null ? "No data provided" : `Invalid data. Expected a dictionary, but got ${typeOf(input)}.`),
};

/** The words for what is no whole number. */
export const integerField: Words = ofField(() => "A valid integer is required.");

/** The words for what is neither true nor false. */
export const booleanField: Words = ofField(() => "Must be a valid boolean.");

/** The words for what is no list. */
export const listField: Words = ofField((input) => `Expected a list of items but got type "${typeOf(input)}".`);

/** The words for a list that is too long. */
export function tooLongList(most: number): string {
  return `Ensure this field has no more than ${most} elements.`;
}

const MAX_CHOICE = 200;

/** The words for what is none of the choices. */
export const choiceField: Words = ofField((input) => `"${cut(textOf(input), MAX_CHOICE)}" is not a valid choice.`);

/** The words for a body of another type than JSON. */
export function unsupportedMediaType(mediaType: string): string {
  return `Unsupported media type "${cut(mediaType, MAX_CHOICE)}" in request.`;
}

/** The words for too many requests. */
export function throttled(seconds: string): string {
  return `Request was throttled. Expected available in ${seconds} ${seconds === "1" ? "second" : "seconds"}.`;
}

/** Python's name for the type of a value from JSON. */
function typeOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return "str";
    case "boolean":
      return "bool";
    case "number":
      return Number.isInteger(value) ? "int" : "float";
    default:
      return Array.isArray(value) ? "list" : "dict";
  }
}

/** A value as Python writes it. Of lists and objects, which no client sends for a word, it is JSON. */
function textOf(value: unknown): string {
  if (typeof value === "boolean") {
    return value ? "True" : "False";
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

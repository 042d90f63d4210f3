import fc, { type Arbitrary } from "fast-check";

/** The parts of a JSON Schema that generating values looks at. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
}

/** Resolves the references of one document. */
export type Resolve = (schema: Schema) => Schema;

const LONGEST = 300;

/** Texts that parsers, databases, logs and pages stumble over. */
const HOSTILE_TEXTS = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "a\udfffb",
  "\u202eevil",
  "\ufeff",
  "😀".repeat(70),
  "e\u0301",
  "İ",
  "a\r\nBcc: evil@x.test",
  "a\n\nevent: admin\ndata: x",
  "../../etc/passwd",
  "..%2f..%2f",
  "%00",
  "%",
  "%zz",
  "'; DROP TABLE belfry_inbox; --",
  "\\",
  '"',
  "$1",
  "%_%",
  "{{constructor.constructor('return process')()}}",
  "<img src=x onerror=alert(1)>",
  "javascript:alert(1)",
  "__proto__",
  "constructor",
  "true",
  "null",
  "NaN",
  "-1",
  "1e9",
  "0x10",
  "9223372036854775808",
  "99999999999999999999999999",
  "2027-02-29T09:00:00Z",
  "0000-01-01T00:00:00Z",
  "9999-12-31T23:59:59-12:00",
  "+275760-09-13T00:00:00Z",
  "x".repeat(256),
  "x".repeat(10_001),
  "\u0000".repeat(2_000),
];

/** Values of the wrong type, or of a type at its edge. */
const HOSTILE_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER + 2,
  -1e21,
  [],
  {},
  [[]],
  [null],
  { a: { b: { c: ["\u0000"] } } },
  Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`k${at}`, at])),
  Array.from({ length: 1_001 }, () => "u@x.test"),
  Array.from({ length: 50 }, () => ({})),
  nested(99),
  nested(200),
];

/** Members that no contract has, and that a careless host would take. */
const FOREIGN_MEMBERS = ["tenant_id", "tenant", "client_id", "user_id", "role", "status", "is_read", "id", "__proto__", "constructor", "x"];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) {
    value = level % 2 === 0 ? [value] : { a: value };
  }
  return value;
}

/**
 * Any of {@link HOSTILE_TEXTS}, or any text. Made when it is first needed: fast-check's binary unit takes a second and
 * 200 MB, which the other suites of this package do not need.
 */
export function hostileText(): Arbitrary<string> {
  return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) }, fc.string({ unit: "binary", maxLength: 40 }));
}

/** Any hostile text, any of {@link HOSTILE_VALUES}, or any JSON. */
export function hostileValue(): Arbitrary<unknown> {
  return fc.oneof(hostileText(), fc.constantFrom(...HOSTILE_VALUES), fc.jsonValue({ maxDepth: 3 }));
}

/** Makes values that fit a schema. `words` are texts that mean something: ids, users, addresses. */
export function validValue(given: Schema, words: readonly string[], resolve: Resolve): Arbitrary<unknown> {
  const schema = resolve(given);
  if (schema.const !== undefined || schema.enum !== undefined) {
    return fc.constantFrom(...(schema.enum ?? [schema.const]));
  }
  if (schema.format !== undefined) {
    return fc.oneof(fc.constantFrom(...words), formatted(schema.format));
  }
  if (schema.anyOf !== undefined) {
    return fc.oneof(...schema.anyOf.map((one) => validValue(one, words, resolve)));
  }
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? ["object"]);
  return fc.oneof(...types.map((type) => ofType(type, schema, words, resolve)));
}

function ofType(type: string, schema: Schema, words: readonly string[], resolve: Resolve): Arbitrary<unknown> {
  switch (type) {
    case "string":
      return fc.oneof(fc.constantFrom(...words), fc.string({ unit: "grapheme", ...lengths(schema) }));
    case "integer":
      return fc.oneof(fc.nat({ max: 20 }), fc.constantFrom(...edges(schema)));
    case "number":
      return fc.double({ noNaN: true });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(validValue(schema.items ?? {}, words, resolve), { maxLength: Math.min(schema.maxItems ?? 5, 5) });
    default:
      return ofObject(schema, words, resolve);
  }
}

function ofObject({ properties = {}, required = [] }: Schema, words: readonly string[], resolve: Resolve): Arbitrary<unknown> {
  const members = Object.entries(properties).map(([name, schema]) => [name, validValue(schema, words, resolve)] as const);
  if (members.length === 0) {
    return fc.dictionary(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 8 })), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
  }
  return fc.record(Object.fromEntries(members), { requiredKeys: [...required] });
}

function lengths({ minLength = 0, maxLength = LONGEST }: Schema): { readonly minLength: number; readonly maxLength: number } {
  return { minLength, maxLength: Math.max(minLength, Math.min(maxLength, 40)) };
}

function edges({ minimum = 0, maximum = 100 }: Schema): readonly number[] {
  return [minimum, minimum - 1, maximum, maximum + 1];
}

function formatted(format: string): Arbitrary<string> {
  if (format === "uuid") {
    return fc.uuid();
  }
  const date = fc.date({ min: new Date("1970-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
  return date.map((time) => (format === "date" ? time.toISOString().slice(0, 10) : time.toISOString()));
}

/** Spoils a value in one place: another value, a missing member, or one that nobody asked for. */
export function spoiled(valid: Arbitrary<unknown>): Arbitrary<unknown> {
  return fc
    .tuple(
      valid,
      fc.nat(),
      hostileValue(),
      fc.constantFrom("replace", "replace", "drop", "add", "whole"),
      fc.constantFrom(...FOREIGN_MEMBERS),
    )
    .map(([value, place, hostile, how, name]) => {
      if (typeof value !== "object" || value === null || Array.isArray(value) || how === "whole") {
        return hostile;
      }
      const names = Object.keys(value);
      const chosen = names[place % Math.max(1, names.length)] ?? name;
      if (how === "drop") {
        return Object.fromEntries(Object.entries(value).filter(([key]) => key !== chosen));
      }
      // A member called __proto__ has to be one of the object's own to be in its JSON.
      return Object.fromEntries([...Object.entries(value), [how === "add" ? name : chosen, hostile]]);
    });
}

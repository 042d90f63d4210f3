import type { StandardSchemaV1 } from "@standard-schema/spec";
import { BelfryError, type Issue } from "../foundation/errors.ts";
import { type MembersOf, requireConfiguration, requireNone, requireOptions } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import { describe, isPlain, NAME_RULE, oneLineTitleIssue, shown, stringIssue, TITLE_RULE, textIssue } from "../foundation/parse-text.ts";
import { GROUP_CHECK, TEXT_CHECKS, type TypeGrouping, type TypeTexts } from "./rendering.ts";
import { channelsOfType, INBOX_CHANNEL, requireChannels, type TypeChannels, type TypeReach } from "./type-channels.ts";

/** The declaration of one notification type, whose schema accepts `Data`, and makes `Made` of it; its functions take `Stored`. */
export interface NotificationType<Data = unknown, Made = unknown, Stored = never>
  extends TypeTexts<Stored>,
    TypeReach<Stored>,
    TypeGrouping<Stored> {
  /** The name that people see. @default the type in title case: `order_update` is "Order Update" */
  readonly label?: Label;
  /** Any Standard Schema (zod, valibot, arktype, …) that the data of these notifications must fit. */
  readonly data?: StandardSchemaV1<Data, Made>;
}

/** A name that people see: a text, or a function that gives it in a language. */
export type Label = string | ((source: { readonly locale: string }) => string);

/** What is said of a category. */
export interface CategoryDeclaration {
  /** The name that people see. @default the category in title case */
  readonly label?: Label;
}

/** The categories of a host's types, by name. */
export interface Categories {
  readonly [category: string]: CategoryDeclaration;
}

/** The notification types of a host, by name. */
export interface NotificationTypes {
  readonly [type: string]: NotificationType;
}

/**
 * The data of every notification type, by the type's name. It is unknown for a type without a schema, and any without
 * declared types.
 */
export interface DataByType {
  readonly [type: string]: unknown;
}

/** The data of declared types: `DataOf<typeof types>` is `{ order_update: { related_order_id: number } }`. */
export type DataOf<Types extends NotificationTypes> = {
  -readonly [Type in keyof Types]: Types[Type] extends NotificationType<infer Data> ? Data : unknown;
};

/** The declared types that accept this data. */
export type TypesTaking<Data extends DataByType> = { readonly [Type in keyof Data]: NotificationType<Data[Type]> };

/** What the schemas of declared types make of their data, by type. It differs from {@link DataOf} where a schema transforms. */
export type MadeOf<Types extends NotificationTypes> = {
  -readonly [Type in keyof Types]: Types[Type] extends NotificationType<unknown, infer Made> ? Made : unknown;
};

/** The declared types that make this of their data. */
export type TypesMaking<Made extends DataByType> = { readonly [Type in keyof Made]: NotificationType<unknown, Made[Type]> };

/** A value as it comes back from the database: as JSON, in which a Date is its text. */
export type JsonForm<Value> = Value extends { toJSON(): infer Form }
  ? Form
  : Value extends object
    ? { readonly [Key in keyof Value]: JsonForm<Value[Key]> }
    : Value;

/**
 * A type as it is declared, by its schema: its functions know what the schema makes of the data, as it is stored. `Category` and
 * `Channel` are the names that it may use.
 */
export interface TypeDeclaration<Schema, Category extends string = string, Channel extends string = string>
  extends Omit<NotificationType, "data" | keyof TypeTexts | keyof TypeReach | keyof TypeGrouping>,
    TypeTexts<StoredBy<Schema>>,
    TypeGrouping<StoredBy<Schema>>,
    Omit<TypeReach<StoredBy<Schema>>, "category" | "required" | "channels"> {
  readonly data?: Schema;
  /** See {@link TypeReach.category}. */
  readonly category?: Category;
  /** See {@link TypeReach.required}. */
  readonly required?: boolean | readonly (Channel | "inbox")[];
  /** See {@link TypeReach.channels}. */
  readonly channels?: TypeChannels<StoredBy<Schema>, Channel | "inbox">;
}

/** The names that types may use. */
export interface TypeNames<Category extends string = string, Channel extends string = string> {
  /** The categories, with their labels: pass them to the service, too. @default any */
  readonly categories?: { readonly [Name in Category]: CategoryDeclaration };
  /** The channels, beside the inbox. @default any */
  readonly channels?: readonly Channel[];
}

/** The data of a schema as it is stored: any JSON object without one. */
export type StoredBy<Schema> = Schema extends StandardSchemaV1 ? JsonForm<StandardSchemaV1.InferOutput<Schema>> : JsonObject;

/** The types that were declared, by their schemas. */
export type DeclaredTypes<Schemas> = {
  readonly [Type in keyof Schemas]: Schemas[Type] extends StandardSchemaV1<infer Data, infer Made>
    ? NotificationType<Data, Made, JsonForm<Made>>
    : NotificationType<unknown, unknown, JsonObject>;
};

/**
 * What has a type and its data, such as an inbox item, with the data of each declared type by that type; as it is without declared
 * types. It holds for what was created under the present declarations: older data, and that of contracts, comes back as it is stored.
 */
export type Typed<Of extends { readonly type: string; readonly data: JsonObject }, Made extends DataByType> = string extends keyof Made
  ? Of
  : { [Type in keyof Made & string]: Of & { readonly type: Type; readonly data: JsonForm<Made[Type]> } }[keyof Made & string];

/** The data of one type that may be left out: any JSON object if there is no schema. */
export type DataOrNone<Data> = unknown extends Data ? JsonObject : Data;

/**
 * Declares the notification types of a host. An unknown type or data of the wrong shape then does not compile, and is
 * refused at run time.
 *
 * @param names the categories and channels that there are: a type that names another one does not compile, and is refused
 * @throws BelfryError `CONFIGURATION` for a member that no declaration has, or data that is no Standard Schema
 * @example
 * ```ts
 * const types = defineTypes({
 *   order_update: {
 *     label: "Order Update",
 *     data: z.object({ related_order_id: z.number() }),
 *     title: ({ data }) => `Order ${data.related_order_id} changed`,
 *   },
 * });
 * ```
 */
export function defineTypes<const Schemas extends object, const Category extends string = string, const Channel extends string = string>(
  types: {
    readonly [Type in keyof Schemas]: TypeDeclaration<Schemas[Type], NoInfer<Category>, NoInfer<Channel>>;
  },
  names: TypeNames<Category, Channel> = {},
): DeclaredTypes<Schemas> {
  requireTypes(types);
  requireNames(types, names);
  return types as unknown as DeclaredTypes<Schemas>;
}

const NAMES: MembersOf<TypeNames> = { categories: true, channels: true };

function requireNames(types: NotificationTypes, names: TypeNames): void {
  requireOptions("the names of types", names, NAMES);
  const { categories, channels } = names;
  if (categories !== undefined) {
    requireCategories(categories, types);
  }
  if (channels === undefined) {
    return;
  }
  if (!Array.isArray(channels)) {
    throw new BelfryError("CONFIGURATION", `The channels of types are a list of names, got ${describe(channels)}.`);
  }
  const known = [INBOX_CHANNEL, ...channels];
  for (const [name, type] of Object.entries(types)) {
    const stranger = channelsOfType(type)?.find((channel) => !known.includes(channel));
    const message = `names ${shown(stranger)}, which is none of ${known.join(", ")}`;
    requireConfiguration(`the type ${shown(name)}`, [stranger === undefined ? null : { path: ["channels"], type: "enum", message }]);
  }
}

const CATEGORY: MembersOf<CategoryDeclaration> = { label: true };

/** Checks categories, and that the types have no others. Throws `CONFIGURATION`. */
export function requireCategories(categories: unknown, types: NotificationTypes): asserts categories is Categories {
  if (typeof categories !== "object" || categories === null || !isPlain(categories)) {
    throw new BelfryError("CONFIGURATION", `Categories are a table such as { social: { label: "Social" } }, got ${describe(categories)}.`);
  }
  for (const [name, category] of Object.entries(categories)) {
    const whose = `the category ${shown(name)}`;
    requireOptions(whose, category, CATEGORY);
    requireConfiguration(whose, [textIssue(name, ["name"], NAME_RULE), labelIssue((category as CategoryDeclaration).label)]);
  }
  const known = Object.keys(categories);
  for (const [name, { category }] of Object.entries(types)) {
    const isKnown = category === undefined || known.includes(category);
    const message = `is ${shown(category)}, which is none of ${known.join(", ") || "no categories"}`;
    requireConfiguration(`the type ${shown(name)}`, [isKnown ? null : { path: ["category"], type: "enum", message }]);
  }
}

function labelIssue(label: unknown): Issue | null {
  return label === undefined || typeof label === "function" ? null : textIssue(label, ["label"], TITLE_RULE);
}

const TYPE: MembersOf<NotificationType> = {
  label: true,
  category: true,
  data: true,
  required: true,
  channels: true,
  title: true,
  message: true,
  url: true,
  group: true,
};

/** Checks declarations as far as a host without TypeScript may have them wrong. Throws `CONFIGURATION`. */
export function requireTypes(types: unknown): asserts types is NotificationTypes {
  if (typeof types !== "object" || types === null || !isPlain(types)) {
    throw new BelfryError(
      "CONFIGURATION",
      `Notification types are a table such as { comment: { label: "New comment" } }, got ${describe(types)}.`,
    );
  }
  for (const [name, type] of Object.entries(types)) {
    const whose = `the type ${shown(name)}`;
    requireOptions(whose, type, TYPE);
    const { label, category, data, group } = type as NotificationType;
    requireConfiguration(whose, [
      textIssue(name, ["name"], NAME_RULE),
      labelIssue(label),
      category === undefined ? null : textIssue(category, ["category"], NAME_RULE),
      group === undefined || typeof group === "function" ? null : GROUP_CHECK(group, "group"),
    ]);
    requireChannels(whose, type as NotificationType);
    requireTexts(whose, type as NotificationType);
    if (data !== undefined && !isSchema(data)) {
      const remedy = "pass one of zod, valibot or arktype, such as z.object({ … })";
      throw new BelfryError("CONFIGURATION", `The data of ${whose} is no Standard Schema, but ${describe(data)}; ${remedy}.`);
    }
  }
}

/** Checks texts that are the same for all; of a type that a channel delivers, the title is one line. What functions make is checked when they are called. */
function requireTexts(whose: string, type: NotificationType): void {
  for (const [member, check] of Object.entries(TEXT_CHECKS)) {
    const text = type[member as keyof TypeTexts];
    requireConfiguration(whose, [text === undefined || typeof text === "function" ? null : check(text, member)]);
  }
  const { title } = type;
  if (typeof title === "string" && channelsOfType(type)?.some((channel) => channel !== INBOX_CHANNEL)) {
    requireConfiguration(whose, [oneLineTitleIssue(title, "title")]);
  }
}

function isSchema(value: unknown): boolean {
  return (typeof value === "object" || typeof value === "function") && value !== null && "~standard" in value;
}

/**
 * Returns the label of `type`: the host's label, in a language where it is a function, or the type in title case.
 *
 * @param locale a BCP 47 tag
 *
 * @example
 * ```ts
 * typeLabel(defineTypes({ order_update: {} }), "order_update"); // "Order Update"
 * ```
 */
export function typeLabel(types: NotificationTypes, type: string, locale = "en"): string {
  requireNone([stringIssue(type, "type")]);
  return labelOf(types, type, locale);
}

/** The label of a category: the host's, in a language where it is a function, or the category in title case. */
export function categoryLabel(categories: Categories, category: string, locale: string): string {
  return labelOf(categories, category, locale);
}

function labelOf(named: Readonly<Record<string, { readonly label?: Label }>>, name: string, locale: string): string {
  const label = Object.hasOwn(named ?? {}, name) ? named[name]?.label : undefined;
  const text: unknown = typeof label === "function" ? label({ locale }) : label;
  if (text !== undefined && typeof text !== "string") {
    throw new BelfryError("RENDERING_FAILED", `The label of ${shown(name)} made a value of the type ${describe(text)}; expected a text.`);
  }
  return text ?? titleCase(name);
}

/** A name in title case: `order_update` is "Order Update". */
export function titleCase(type: string): string {
  return type
    .split(/[_\-\s]+/u)
    .filter((word) => word !== "")
    .map((word) => {
      const [first = "", ...rest] = word;
      return first.toUpperCase() + rest.join("");
    })
    .join(" ");
}

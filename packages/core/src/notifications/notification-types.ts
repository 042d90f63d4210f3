import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { JsonObject } from "../foundation/json.ts";

/** What a host says of one notification type, whose schema takes `Data`. */
export interface NotificationType<Data = unknown> {
  /** What people call it. @default the type in title case: `order_update` is "Order Update" */
  readonly label?: string;
  /** Any Standard Schema (zod, valibot, arktype, …) that the data of such notifications has to fit. */
  readonly data?: StandardSchemaV1<Data, unknown>;
  /** The channels such a notification goes to. @default the inbox alone */
  readonly channels?: readonly string[];
}

/** The notification types of a host, by name. */
export interface NotificationTypes {
  readonly [type: string]: NotificationType;
}

/** The data of every notification type, by the type's name; unknown for a type without a schema. Without declared types, any. */
export interface DataByType {
  readonly [type: string]: unknown;
}

/** The data of declared types: `DataOf<typeof types>` is `{ order_update: { related_order_id: number } }`. */
export type DataOf<Types extends NotificationTypes> = {
  -readonly [Type in keyof Types]: Types[Type] extends NotificationType<infer Data> ? Data : unknown;
};

/** The types that take this data. */
export type TypesTaking<Data extends DataByType> = { readonly [Type in keyof Data]: NotificationType<Data[Type]> };

/** The data of one type, where it may be left out: any JSON object if there is no schema. */
export type DataOrNone<Data> = unknown extends Data ? JsonObject : Data;

/**
 * Declares the notification types of a host, so that an unknown type or data of the wrong shape does not compile and
 * is refused at run time.
 *
 * @example
 * ```ts
 * const types = defineTypes({
 *   order_update: { label: "Order Update", data: z.object({ related_order_id: z.number() }) },
 * });
 * ```
 */
export function defineTypes<const Types extends NotificationTypes>(types: Types): Types {
  return types;
}

/** The label of `type`: the one the host gave it, else the type in title case. */
export function typeLabel(types: NotificationTypes, type: string): string {
  const registered = Object.hasOwn(types, type) ? types[type]?.label : undefined;
  return registered ?? titleCase(type);
}

function titleCase(type: string): string {
  return type
    .split(/[_\-\s]+/u)
    .filter((word) => word !== "")
    .map((word) => {
      const [first = "", ...rest] = word;
      return first.toUpperCase() + rest.join("");
    })
    .join(" ");
}

import type { StandardSchemaV1 } from "@standard-schema/spec";

/** What a host says of one notification type. */
export interface NotificationType {
  /** What people call it. @default the type in title case: `order_update` is "Order Update" */
  readonly label?: string;
  /** Any Standard Schema (zod, valibot, arktype, …) that the data of such notifications has to fit. */
  readonly data?: StandardSchemaV1;
  /** The channels such a notification goes to. @default the inbox alone */
  readonly channels?: readonly string[];
}

/** The notification types of a host, by name. */
export interface NotificationTypes {
  readonly [type: string]: NotificationType;
}

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

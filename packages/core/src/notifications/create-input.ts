import type { JsonObject } from "../foundation/json.ts";
import type { Notification } from "./notification.ts";
import type { DataByType, DataOrNone } from "./notification-types.ts";

/** The fields that a notification of any type can be created with. */
export interface CreateFields {
  /** The user who gets it, or a list of users. Repeated users get it once. */
  readonly to: string | readonly string[];
  /** At most 1,000 code points. @default "" */
  readonly title?: string;
  /** At most 10,000 code points. @default "" */
  readonly message?: string;
  /** The service that the notification comes from, at most 255 characters. */
  readonly source?: string;
  /** The person or program that caused it, at most 255 characters. */
  readonly sender?: string;
  /** How much it matters: `low`, `normal` or `high`. @default "normal" */
  readonly priority?: Notification["priority"];
}

/** The input of `create` for a host that declared no types: a type is any string, data any JSON object. */
export interface UntypedCreateInput extends CreateFields {
  /** At most 255 characters. @default "notification" */
  readonly type?: string;
  /** At most 256 KiB as JSON. @default {} */
  readonly data?: JsonObject;
}

/** The input of `create` for a declared type whose schema requires data. */
export interface CreateInputWithData<Type, Data> extends CreateFields {
  /** One of the declared types. */
  readonly type: Type;
  /** The data that the type's schema accepts, at most 256 KiB as JSON. */
  readonly data: Data;
}

/** The input of `create` for a declared type that has no schema, or whose schema does not require data. */
export interface CreateInputWithOptionalData<Type, Data> extends CreateFields {
  /** One of the declared types. */
  readonly type: Type;
  /** The data that the type's schema accepts, or any JSON object without a schema. At most 256 KiB as JSON. @default {} */
  readonly data?: Data;
}

/**
 * The input of `create`. With declared types it is one of them and the data that fits it. `Data` is the data by type, as in
 * `DataOf<typeof types>`. `Type` is never while it is not known, so that the compiler reports the type as missing.
 */
export type CreateInput<Data extends DataByType = DataByType, Type extends keyof Data = keyof Data> = string extends keyof Data
  ? UntypedCreateInput
  : [Type] extends [never]
    ? CreateInputWithOptionalData<keyof Data, JsonObject>
    : Type extends keyof Data
      ? undefined extends Data[Type]
        ? CreateInputWithOptionalData<Type, DataOrNone<Data[Type]>>
        : CreateInputWithData<Type, Data[Type]>
      : never;

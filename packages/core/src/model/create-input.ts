import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { JsonObject } from "./json.ts";
import type { NotificationTypes } from "./notification-types.ts";

/** What every notification can be created with, whatever its type. */
export interface CreateFields {
  /** The user who gets it, or a list of users. Repeated users get it once. */
  readonly to: string | readonly string[];
  /** At most 1,000 code points. @default "" */
  readonly title?: string;
  /** At most 10,000 code points. @default "" */
  readonly message?: string;
  /** The service it comes from, at most 255 characters. */
  readonly source?: string;
  /** Who caused it, at most 255 characters. */
  readonly sender?: string;
}

/** The input of `create` for a host that declared no types: a type is any string, data any JSON object. */
export interface UntypedCreateInput extends CreateFields {
  /** At most 255 characters. @default "notification" */
  readonly type?: string;
  /** At most 256 KiB as JSON. @default {} */
  readonly data?: JsonObject;
}

/** The data that a declared type wants: what its schema takes, else any JSON object. */
export type DataOf<Definition> = Definition extends { readonly data: infer Schema extends StandardSchemaV1 }
  ? { readonly data: StandardSchemaV1.InferInput<Schema> }
  : { readonly data?: JsonObject };

/** The input of `create`: with declared types, one of them and the data that fits it. */
export type CreateInput<Types extends NotificationTypes = NotificationTypes> = string extends keyof Types
  ? UntypedCreateInput
  : { [Type in keyof Types]: CreateFields & { readonly type: Type } & DataOf<Types[Type]> }[keyof Types];

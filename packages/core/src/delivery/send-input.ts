import type { JsonObject } from "../foundation/json.ts";
import type {
  CreateFields,
  CreateInputWithData,
  CreateInputWithOptionalData,
  DataByType,
  DataOrNone,
  UntypedCreateInput,
} from "../notifications/index.ts";

/** The fallback for recipients that a send's channel does not reach. */
export interface FallbackInput {
  /** @default "email" */
  readonly channel?: string;
  /**
   * Of the inbox: how long to wait, in milliseconds, for the user to read or acknowledge the notification, whether
   * online or not; at most 30 days. 0 decides by presence alone: whoever is offline gets the fallback at once.
   * Other channels fall back when they have failed. @default 0
   */
  readonly afterMs?: number;
}

/** The fields that a notification of any type can be sent with: those of `create`, except those with another name or sense here. */
export interface SendFields extends Omit<CreateFields, "to" | "title" | "message" | "source" | "sender"> {
  /**
   * Who gets it: user ids for the inbox, addresses for e-mail, URLs for webhooks; for every channel but the inbox also
   * user ids that the host's `directory` knows. At most 10,000; repeated ones get it once.
   */
  readonly to: string | readonly string[];
  /** The channel: `inbox`, or the name of one of the service's channels. */
  readonly channel?: string;
  /** Several channels, each to everybody. Instead of `channel`. @default what the type declares, else the inbox */
  readonly channels?: readonly string[];
  /** At most 1,000 code points, on one line. @default "" */
  readonly subject?: string;
  /** At most 10,000 code points. @default "" */
  readonly content?: string;
  /** More members for the channels, such as `html_content` for e-mail; they join `data`. @default {} */
  readonly meta?: JsonObject;
  /** The room it belongs to, at most 255 characters. */
  readonly roomId?: string;
  /** The channel that stands in for the first one; `true` is e-mail for whoever is offline. @default false */
  readonly fallback?: boolean | FallbackInput;
  /** The time to send it; a time in the past means at once. A text is ISO 8601 with a time zone. */
  readonly scheduledAt?: Date | string;
  /**
   * Makes the call repeatable: within 24 hours, the same call with the same key answers what the first one did and
   * sends nothing. 1 to 255 characters.
   */
  readonly idempotencyKey?: string;
  /** Who sends it, for the audit log. @default "host" */
  readonly actor?: string;
}

/** The input of `send`, a notification over channels with tracking, for a host that declared no types. */
export interface SendInput extends SendFields, Pick<UntypedCreateInput, "type" | "data"> {}

/** The input of `send` for a declared type whose schema wants data. */
export interface SendInputWithData<Type, Data> extends SendFields, Pick<CreateInputWithData<Type, Data>, "type" | "data"> {}

/** The input of `send` for a declared type that has no schema, or whose schema does without data. */
export interface SendInputWithOptionalData<Type, Data> extends SendFields, Pick<CreateInputWithOptionalData<Type, Data>, "type" | "data"> {}

/** The input of `send`: with declared types, one of them and the data that fits it; see `CreateInput`. */
export type TypedSendInput<Data extends DataByType = DataByType, Type extends keyof Data = keyof Data> = string extends keyof Data
  ? SendInput
  : [Type] extends [never]
    ? SendInputWithOptionalData<keyof Data, JsonObject>
    : Type extends keyof Data
      ? undefined extends Data[Type]
        ? SendInputWithOptionalData<Type, DataOrNone<Data[Type]>>
        : SendInputWithData<Type, Data[Type]>
      : never;

/** The actor of an action, for the audit log. */
export interface Acting {
  /** @default "host" */
  readonly actor?: string;
}

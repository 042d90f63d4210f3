import type { MembersOf } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import type { Notification, NotificationAction } from "./notification.ts";
import type { DataByType, DataOrNone } from "./notification-types.ts";

/** An address of one channel, by the channel's name: `{ email: "ann@example.com" }`, `{ webhook: "https://…" }`. */
export interface Address {
  readonly [channel: string]: string;
}

/** Who gets a notification: a user by id, or an address. */
export type Recipient = string | Address;

/** The audience of a broadcast, as `to` names it. */
export const EVERYONE = "everyone";

/** The channel that stands in for another one which does not reach a user. */
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

/** The fields that a notification of any type can be created with. */
export interface CreateFields {
  /**
   * Who gets it: a user's id, an address such as `{ email: "ann@example.com" }`, or a list that mixes both. Repeated ones get it
   * once. At most 1,000,000; beyond 1,000, they get it in the background, part by part.
   *
   * `"everyone"` is everyone in the tenant whose inbox has begun: one row, which each user gets with the next operation of their inbox,
   * or at once while they are connected. A user of that name is written `["everyone"]`.
   */
  readonly to: Recipient | readonly Recipient[];
  /**
   * The topics whose subscribers get it: up to 20, beside the users and addresses of `to`, of which there are 1,000 at the most then. Who is in several
   * parts gets it once. @default none
   */
  readonly topic?: string | readonly string[];
  /**
   * Users among `to` and the subscribers who do not get it after all, such as the one who caused it; at most 1,000 of everyone. @default
   * nobody
   */
  readonly except?: string | readonly string[];
  /** To everyone alone: whether users whose inbox begins later get it, too, until it expires. @default false */
  readonly standing?: boolean;
  /** At most 1,000 code points; on one line if a channel delivers it. @default "" */
  readonly title?: string;
  /** At most 10,000 code points. @default "" */
  readonly message?: string;
  /** Where it leads: a path, or a link that begins with `https://`, `http://` or `mailto:`. At most 2,048 characters. */
  readonly url?: string;
  /** What its reader can do about it: up to five links, the primary first. @default none */
  readonly actions?: readonly NotificationAction[];
  /** The service that the notification comes from, at most 255 characters. */
  readonly source?: string;
  /** Who caused it, a person or a program, at most 255 characters. The audit log has it, too, where there are deliveries. */
  readonly actor?: string;
  /** How much it matters: `low`, `normal`, `high` or `urgent`. @default "normal" */
  readonly priority?: Notification["priority"];
  /** The channels over which users get it: `inbox`, or names of the service's channels. @default those of the type, else the inbox */
  readonly channels?: readonly string[];
  /** The channel that stands in for the first one, for users; `true` is e-mail for whoever is offline. @default false */
  readonly fallback?: boolean | FallbackInput;
  /** The time to deliver it; a time in the past means at once. A text is ISO 8601 with a time zone. @default at once */
  readonly scheduledAt?: Date | string;
  /** The time from which it is of no use: attempts that have not begun by then are skipped. As `scheduledAt`. @default never */
  readonly expiresAt?: Date | string;
  /**
   * Makes the call repeatable: within 24 hours, the same call with the same key answers what the first one did and
   * creates nothing. 1 to 255 characters.
   */
  readonly idempotencyKey?: string;
  /** The room it belongs to, at most 255 characters; inboxes can be listed by it. Items have it as `room_id` in their data. */
  readonly roomId?: string;
  /**
   * What it belongs to, such as a thread: each inbox counts its items of one group together. 1 to 100 characters. @default that of
   * the type, else none
   */
  readonly group?: string;
  /**
   * What it is the news of, such as a build: the unread active item of the same key in the same inbox is removed, so that one is left.
   * Items that were read stay. 1 to 100 characters. @default none: it is added
   */
  readonly replace?: string;
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

/** The fields that a notification for topics can be created with. Users and addresses may be named beside. */
export interface TopicFields extends Omit<CreateFields, "to"> {
  readonly to?: CreateFields["to"];
  readonly topic: string | readonly string[];
}

/** The input of `create` for topics, for a host that declared no types. */
export interface UntypedTopicInput extends TopicFields, Pick<UntypedCreateInput, "type" | "data"> {}

/** The input of `create` for topics, for a declared type whose schema requires data. */
export interface TopicInputWithData<Type, Data> extends TopicFields, Pick<CreateInputWithData<Type, Data>, "type" | "data"> {}

/** The input of `create` for topics, for a declared type that has no schema, or whose schema does not require data. */
export interface TopicInputWithOptionalData<Type, Data>
  extends TopicFields,
    Pick<CreateInputWithOptionalData<Type, Data>, "type" | "data"> {}

/** Every member of the input of `create`. */
export const CREATE_MEMBERS: MembersOf<UntypedCreateInput> = {
  to: true,
  except: true,
  type: true,
  title: true,
  message: true,
  url: true,
  data: true,
  actions: true,
  actor: true,
  source: true,
  priority: true,
  channels: true,
  fallback: true,
  scheduledAt: true,
  expiresAt: true,
  idempotencyKey: true,
  roomId: true,
  group: true,
  replace: true,
  topic: true,
  standing: true,
};

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

/** The input of `create` for topics: as {@link CreateInput}, and nobody has to be named. */
export type TopicInput<Data extends DataByType = DataByType, Type extends keyof Data = keyof Data> = string extends keyof Data
  ? UntypedTopicInput
  : [Type] extends [never]
    ? TopicInputWithOptionalData<keyof Data, JsonObject>
    : Type extends keyof Data
      ? undefined extends Data[Type]
        ? TopicInputWithOptionalData<Type, DataOrNone<Data[Type]>>
        : TopicInputWithData<Type, Data[Type]>
      : never;

/** A JSON object. */
export type JsonObject = { readonly [name: string]: unknown };

/** A notification in the user's inbox. Times are ISO 8601 texts, in UTC. */
export interface Item<Type extends string = string, Data = JsonObject> {
  /** The notification's id. */
  readonly id: string;
  /** Its number in the inbox: 1, 2, 3, … in the order in which items came in. */
  readonly seq: number;
  readonly type: Type;
  readonly category: string | null;
  readonly title: string;
  readonly message: string;
  readonly data: Data;
  readonly url: string | null;
  /** The primary one first. */
  readonly actions: readonly { readonly label: string; readonly url: string }[];
  readonly actor: string | null;
  readonly source: string | null;
  readonly group: string | null;
  readonly priority: "low" | "normal" | "high" | "urgent";
  readonly createdAt: string;
  readonly expiresAt: string | null;
  /** When it was read; null while it is unread. */
  readonly readAt: string | null;
  /** Whether it was shown in a list. A read item is always seen. */
  readonly isSeen: boolean;
  readonly pinnedAt: string | null;
  readonly archivedAt: string | null;
  /** Until when it is put off; null unless it is snoozed. */
  readonly snoozedUntil: string | null;
}

/**
 * The items of a service's inboxes, with the data of its declared types. It goes by the service's shape alone, so only the types of the
 * server reach the client.
 */
export type ItemOf<Service> = Service extends { inbox(userId: string): { get(ref: string): Promise<infer Made> } }
  ? Made extends { readonly type: infer Type extends string; readonly data: infer Data }
    ? Item<Type, Declared<Data>>
    : never
  : Item;

/** The fields that a type declares. Others are a type error; of a type that declares none, data is any JSON object. */
export type Declared<Data> = keyof Named<Data> extends never ? JsonObject : Named<Data>;

/** The members of `Data` that are named one by one: an index signature is none. */
export type Named<Data> = { [Name in keyof Data as string extends Name ? never : number extends Name ? never : Name]: Data[Name] };

/** How many items there are, how many of them are unread, and how many unseen. */
export interface Tally {
  readonly total: number;
  readonly unread: number;
  readonly unseen: number;
}

/** The counts of the inbox's active items, with the position of their moment. */
export interface Counts extends Tally {
  /** The name of the numbering. Each numbering counts from the start. */
  readonly epoch: string;
  /** The number of the newest item. */
  readonly lastSeq: number;
  /** The number of the newest change. */
  readonly rev: number;
}

/** How far a client was told of an inbox: an item's number and a change's number of one numbering. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
  readonly rev: number;
}

/** The position of counts. */
export function positionOf({ epoch, lastSeq, rev }: Counts): Position {
  return { epoch, seq: lastSeq, rev };
}

/** When it was, in one numbering: items and changes are numbered one after another, so a later moment is always a greater number. */
export function momentOf({ seq, rev }: Pick<Position, "seq" | "rev">): number {
  return seq + rev;
}

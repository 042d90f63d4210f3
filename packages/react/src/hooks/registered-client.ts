import type { Filter, InboxClient, Item, Preferences, Push, Topics, View, ViewSnapshot } from "@belfry/client";

/**
 * Where a host names its client, so that hooks and slots know the data of each of its types.
 *
 * @example
 * declare module "@belfry/react" {
 *   interface Register {
 *     client: typeof client;
 *   }
 * }
 */
export interface Register {
  /** Never given. It keeps the interface from being one that fits everything. */
  readonly belfry?: never;
}

/** An item of the inbox, with the data of the host's types if the host has told its client. */
export type InboxItem = Register extends { readonly client: InboxClient<infer Shown> } ? Shown : Item;

/** Which items. */
export type InboxFilter = Filter<InboxItem>;

/** The items that match a filter. */
export type InboxView = View<InboxItem>;

/** A view at one moment. */
export type InboxViewState = ViewSnapshot<InboxItem>;

/** The public part of a class. */
export type Public<Instance> = Pick<Instance, keyof Instance>;

/** A client of `@belfry/client`. In tests, anything that has its methods. */
export interface RegisteredClient extends Omit<Public<InboxClient<InboxItem>>, "preferences" | "topics" | "push"> {
  readonly preferences: Public<Preferences>;
  readonly topics: Public<Topics>;
  readonly push: Public<Push>;
}

/** How a user can be reached, by channel name; and the user's language, as a BCP 47 tag. */
export interface Contact {
  readonly email?: string;
  readonly locale?: string;
  /** The address for a channel of the host's own, by its name. */
  readonly [channel: string]: string | undefined;
}

/**
 * The host's own knowledge of its users: given user ids, their contacts. Belfry calls it when a delivery needs an address,
 * and never stores its answers. Users that it leaves out have no contact.
 *
 * @example
 * ```ts
 * const directory: Directory = async (ids, { tenant }) => new Map((await users.of(tenant, ids)).map((user) => [user.id, { email: user.email }]));
 * ```
 */
export type Directory = (
  ids: readonly string[],
  options: { readonly tenant: string },
) => ReadonlyMap<string, Contact> | Promise<ReadonlyMap<string, Contact>>;

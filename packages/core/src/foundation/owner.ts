/** The owner of an inbox: a user inside a tenant. Every inbox query is scoped by one, so no route can reach past it. */
export interface Owner {
  readonly tenant: string;
  readonly userId: string;
}

/** The tenant of hosts that have only one. */
export const DEFAULT_TENANT = "default";

import { createContext, type ReactNode, useContext, useEffect } from "react";
import type { RegisteredClient } from "./registered-client.ts";

const ClientContext = /* @__PURE__ */ createContext<RegisteredClient | null>(null);

/** How many providers hold each client running. */
const holders = new WeakMap<RegisteredClient, number>();

/** Starts a client, unless it runs for another provider already. @returns a function that stops it once nobody holds it */
function hold(client: RegisteredClient): () => void {
  const count = holders.get(client) ?? 0;
  holders.set(client, count + 1);
  if (count === 0) {
    client.start();
  }
  return () => {
    const left = (holders.get(client) ?? 1) - 1;
    holders.set(client, left);
    if (left === 0) {
      client.stop();
    }
  };
}

/** What {@link BelfryProvider} takes. */
export interface BelfryProviderProps {
  /** The client, made once outside of components with `createClient` of `@belfry/client`. */
  readonly client: RegisteredClient;
  readonly children?: ReactNode;
}

/**
 * Gives the client to the hooks and to the inbox below it. It starts the client once it is mounted in a browser, and stops it when
 * the last provider of that client is gone.
 *
 * @example
 * const client = createClient({ url: "/api/belfry/v1", user: "ann", getToken });
 * <BelfryProvider client={client}><Inbox /></BelfryProvider>
 */
export function BelfryProvider({ client, children }: BelfryProviderProps) {
  useEffect(() => hold(client), [client]);
  return <ClientContext.Provider value={client}>{children}</ClientContext.Provider>;
}

/**
 * The client of the nearest {@link BelfryProvider}.
 *
 * @throws Error if there is none
 *
 * @example
 * ```ts
 * const client = useBelfry();
 * const markAllRead = () => client.markAllRead();
 * ```
 */
export function useBelfry(): RegisteredClient {
  const client = useContext(ClientContext);
  if (client === null) {
    throw new Error("@belfry/react: hooks and the inbox need a <BelfryProvider client={…}> above them.");
  }
  return client;
}

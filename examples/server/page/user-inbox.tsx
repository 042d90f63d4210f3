import { createClient } from "@belfry/client";
import { BelfryProvider, Inbox } from "@belfry/react";
import { useMemo } from "react";
import type { User } from "./api.ts";

/** The inbox of a user, as their own page of the application would show it. */
export function UserInbox({ user: { id, name, token } }: { readonly user: User }) {
  const client = useMemo(() => createClient({ url: "/api/belfry/v1", user: id, getToken: async () => token }), [id, token]);
  return (
    <section className="card" aria-labelledby={id}>
      <h2 id={id}>{name}</h2>
      <BelfryProvider client={client}>
        <Inbox layout="page" />
      </BelfryProvider>
    </section>
  );
}

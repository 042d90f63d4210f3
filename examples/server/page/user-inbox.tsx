import { createClient } from "@belfry/client";
import { BelfryProvider, Inbox } from "@belfry/react";
import { useMemo } from "react";
import type { User } from "./api.ts";

/** What {@link UserInbox} takes. */
interface UserInboxProps {
  readonly user: User;
  /** Whether the user may have pushes sent to this browser: one browser gets those of one user. */
  readonly hasPush: boolean;
}

/** The inbox of a user, as their own page of the application would show it. */
export function UserInbox({ user: { id, name, token }, hasPush }: UserInboxProps) {
  const client = useMemo(() => {
    const push = hasPush ? { push: { worker: "/belfry-worker.js" } } : {};
    return createClient({ url: "/api/belfry/v1", user: id, getToken: async () => token, ...push });
  }, [id, token, hasPush]);
  return (
    <section className="card" aria-labelledby={id}>
      <h2 id={id}>{name}</h2>
      <BelfryProvider client={client}>
        <Inbox layout="page" />
      </BelfryProvider>
    </section>
  );
}

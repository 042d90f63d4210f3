import { useCallback, useState } from "react";
import { ask, type User } from "./api.ts";
import { usePolled } from "./use-polled.ts";

const NATIVE = "/api/belfry/v1";

interface Page {
  readonly items: readonly { readonly id: string; readonly title: string; readonly message: string; readonly readAt: string | null }[];
  readonly counts: { readonly unread: number };
}

/** The inbox of a user, and whether they follow the post. */
export function UserInbox({ user: { id, name, token } }: { readonly user: User }) {
  const page = usePolled(useCallback(() => ask<Page>(`${NATIVE}/inbox?limit=20`, { token }), [token]));
  const [said, setSaid] = useState("");
  const markRead = async () => {
    await ask(`${NATIVE}/inbox/all`, { token, method: "POST", body: JSON.stringify({ change: "read" }) });
    setSaid("All are read.");
  };
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>
        {name} <span className="badge">{page?.counts.unread ?? 0} unread</span>
      </h2>
      <button type="button" onClick={() => void markRead()}>
        Mark all read
      </button>
      <output>{said}</output>
      <ul className="items">
        {page?.items.map((item) => (
          <li key={item.id} className={item.readAt === null ? "unread" : undefined}>
            <strong>{item.title}</strong>
            <span>{item.message}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

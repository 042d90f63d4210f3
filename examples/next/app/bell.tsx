"use client";

import { createClient, type InitialState } from "@belfry/client";
import { BelfryProvider, Inbox } from "@belfry/react";
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { AppItem } from "../server/belfry.ts";
import type { notifications } from "../server/notifications.ts";

/** The bell of a user, with their inbox. Give it `key={user}`, so that each user has a client of their own. */
export function Bell({ user, initial }: { readonly user: string; readonly initial: InitialState<AppItem> }) {
  const [client] = useState(() => createClient<typeof notifications>({ url: "/api/belfry/v1", user, initial }));
  const router = useRouter();
  return (
    <BelfryProvider client={client}>
      <Inbox onNavigate={(url) => router.push(url)} />
    </BelfryProvider>
  );
}

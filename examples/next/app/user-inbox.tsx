"use client";

import { createClient, type InitialState } from "@belfry/client";
import { BelfryProvider, Inbox } from "@belfry/react";
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { AppItem } from "../server/belfry.ts";
import type { notifications } from "../server/notifications.ts";

/** The inbox of the signed-in user. It shows what the server rendered at once, and follows the inbox from there. */
export function UserInbox({ user, initial }: { readonly user: string; readonly initial: InitialState<AppItem> }) {
  const [client] = useState(() => createClient<typeof notifications>({ url: "/api/belfry/v1", user, initial }));
  const router = useRouter();
  return (
    <BelfryProvider client={client}>
      <Inbox layout="page" onNavigate={(url) => router.push(url)} />
    </BelfryProvider>
  );
}

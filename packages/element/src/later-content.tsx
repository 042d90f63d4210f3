import { Later, loaderOf } from "@belfry/react/inside/inbox/later.tsx";

/** Loads the contents of the inbox, unless they are there, or on their way. */
export const loadContent = loaderOf(() => import("@belfry/react/inside/inbox/content.tsx"), "Content");

/** The contents of the inbox. Their code is a file of its own, so that the bell is there first. */
export function LaterContent() {
  return <Later load={loadContent} />;
}

import { loadAgain } from "@belfry/client/inside/load-again.ts";
import type { Content } from "@belfry/react/inside/inbox/content.tsx";
import { Broken, Loading } from "@belfry/react/inside/inbox/states.tsx";
import { useCallback, useEffect, useState } from "./react.ts";

let loading: Promise<typeof Content> | null = null;
let failures = 0;

/** Loads the contents of the inbox, unless they are there, or on their way. */
export async function loadContent(): Promise<typeof Content> {
  loading ??= loadAgain(() => import("@belfry/react/inside/inbox/content.tsx"), "Content", failures).then((loaded) => loaded.Content);
  try {
    return await loading;
  } catch (thrown) {
    loading = null;
    failures += 1;
    throw thrown;
  }
}

/** The contents of the inbox. Their code is a file of its own, so that the bell is there first. */
export function LaterContent() {
  const [shown, setShown] = useState<{ readonly Content: typeof Content | null }>({ Content: null });
  const [isBroken, setBroken] = useState(false);
  const load = useCallback(() => {
    setBroken(false);
    loadContent().then(
      (loaded) => setShown({ Content: loaded }),
      () => setBroken(true),
    );
  }, []);
  useEffect(load, [load]);
  if (shown.Content !== null) {
    return <shown.Content />;
  }
  return isBroken ? <Broken onRetry={load} /> : <Loading />;
}

import { loadAgain } from "@belfry/client/inside/load-again.ts";
import { type ComponentType, useCallback, useEffect, useState } from "react";
import { Broken, Loading } from "./states.tsx";

/** Makes a function that loads a part of the inbox, unless it is there, or on its way. After a failure, the next call asks for it again. */
export function loaderOf<Name extends string, Part>(load: () => Promise<Readonly<Record<Name, Part>>>, name: Name): () => Promise<Part> {
  let loading: Promise<Part> | null = null;
  let failures = 0;
  return async () => {
    loading ??= loadAgain(load, name, failures).then((loaded) => loaded[name]);
    try {
      return await loading;
    } catch (thrown) {
      loading = null;
      failures += 1;
      throw thrown;
    }
  };
}

/** What {@link Later} takes. */
interface LaterProps {
  /** Loads the part; the same function each time. */
  readonly load: () => Promise<ComponentType>;
  /** Says that it could not be loaded. @default that of lists */
  readonly failed?: string;
}

/** A part whose code is a file of its own. Until it is there, grey rows are; if it cannot be loaded, the reader can have it tried again. */
export function Later({ load, failed }: LaterProps) {
  const [shown, setShown] = useState<{ readonly Part: ComponentType } | null>(null);
  const [isBroken, setBroken] = useState(false);
  const tryToLoad = useCallback(() => {
    setBroken(false);
    load().then(
      (Part) => setShown({ Part }),
      () => setBroken(true),
    );
  }, [load]);
  useEffect(tryToLoad, [tryToLoad]);
  if (shown !== null) {
    return <shown.Part />;
  }
  return isBroken ? <Broken text={failed} onRetry={tryToLoad} /> : <Loading />;
}

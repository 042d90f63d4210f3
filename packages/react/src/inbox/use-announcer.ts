import { useCallback, useEffect, useRef, useState } from "react";
import { useBelfry } from "../hooks/belfry-provider.tsx";
import { plural } from "../texts/plural.ts";
import type { Texts } from "../texts/texts.ts";

/** At most one announcement in this time: what happens meanwhile is told together. */
const QUIET_MS = 1_500;

/** What the live region says at the moment, and a way to have it say something. */
export interface Announcer {
  readonly message: string;
  announce(text: string): void;
}

/** Collects what is to be said. */
class Collector {
  arrived = 0;
  text = "";
  timer: ReturnType<typeof setTimeout> | null = null;
}

/** Says results of actions and the number of new notifications, together and not too often. */
export function useAnnouncer(texts: Texts): Announcer {
  const client = useBelfry();
  const [message, setMessage] = useState("");
  const [collector] = useState(() => new Collector());
  const words = useRef(texts);
  useEffect(() => {
    words.current = texts;
  }, [texts]);

  const saySoon = useCallback(() => {
    collector.timer ??= setTimeout(() => {
      const { locale, arrived } = words.current;
      const parts = [collector.text, collector.arrived === 0 ? "" : plural(locale, arrived, collector.arrived)];
      const text = parts.filter((part) => part !== "").join(" ");
      // The same text again would be no change, which is not read out; nobody hears the space.
      setMessage((last) => (text === last ? `${text}\u00a0` : text));
      Object.assign(collector, new Collector());
    }, QUIET_MS);
  }, [collector]);

  useEffect(() => {
    const off = client.on("received", () => {
      collector.arrived += 1;
      saySoon();
    });
    return () => {
      off();
      clearTimeout(collector.timer ?? undefined);
      collector.timer = null;
    };
  }, [client, collector, saySoon]);

  const announce = useCallback(
    (text: string) => {
      collector.text = text;
      saySoon();
    },
    [collector, saySoon],
  );
  return { message, announce };
}

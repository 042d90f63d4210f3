import { useEffect, useState } from "preact/hooks";

const spoken = new EventTarget();

/** Says something to people who listen to the page, without moving them away from where they are. */
export function announce(text: string): void {
  spoken.dispatchEvent(new CustomEvent("announcement", { detail: text }));
}

/** The last thing said. `count` tells it from the same words said before. */
export function useAnnouncement(): { readonly text: string; readonly count: number } {
  const [said, setSaid] = useState({ text: "", count: 0 });
  useEffect(() => {
    const onAnnouncement = (event: Event) => setSaid(({ count }) => ({ text: (event as CustomEvent<string>).detail, count: count + 1 }));
    spoken.addEventListener("announcement", onAnnouncement);
    return () => spoken.removeEventListener("announcement", onAnnouncement);
  }, []);
  return said;
}

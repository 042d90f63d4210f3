import { useEffect, useState } from "preact/hooks";

const spoken = new EventTarget();

/** Says something to people who listen to the page, without moving their focus. */
export function announce(text: string): void {
  spoken.dispatchEvent(new CustomEvent("announcement", { detail: text }));
}

/** The last announcement. `count` tells it from an earlier one with the same words. */
export function useAnnouncement(): { readonly text: string; readonly count: number } {
  const [said, setSaid] = useState({ text: "", count: 0 });
  useEffect(() => {
    const onAnnouncement = (event: Event) => setSaid(({ count }) => ({ text: (event as CustomEvent<string>).detail, count: count + 1 }));
    spoken.addEventListener("announcement", onAnnouncement);
    return () => spoken.removeEventListener("announcement", onAnnouncement);
  }, []);
  return said;
}

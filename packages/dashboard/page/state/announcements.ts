import { useEffect, useState } from "preact/hooks";

const spoken = new EventTarget();

/** Says something to people who listen to the page, without moving them away from where they are. */
export function announce(text: string): void {
  spoken.dispatchEvent(new CustomEvent("announcement", { detail: text }));
}

/** The last thing said. */
export function useAnnouncement(): string {
  const [text, setText] = useState("");
  useEffect(() => {
    const onAnnouncement = (event: Event) => setText((event as CustomEvent<string>).detail);
    spoken.addEventListener("announcement", onAnnouncement);
    return () => spoken.removeEventListener("announcement", onAnnouncement);
  }, []);
  return text;
}

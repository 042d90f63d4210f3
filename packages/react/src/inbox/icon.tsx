/** Strokes on a grid of 24 by 24. */
const PATHS = {
  bell: "M6 9a6 6 0 0 1 12 0c0 6 2.5 7 2.5 8h-17C3.5 16 6 15 6 9M10 20.5a2.2 2.2 0 0 0 4 0",
  check: "M5 12.5l4.5 4.5L19 7.5",
  checks: "M2 12.5l4.5 4.5L15 8M12 16.5l.5.5L21 8",
  dot: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8",
  archive: "M4 5h16v4H4zM5.5 9v10h13V9M10 13h4",
  inbox: "M4 13l3-8h10l3 8v6H4zM4 13h5l1 2.5h4l1-2.5h5",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 8v4.5l3 1.5",
  pin: "M9 4h6l-.5 6 3 3.5h-11l3-3.5zM12 13.5V20",
  trash: "M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7",
  more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  back: "M14.5 6l-6 6 6 6",
  close: "M6 6l12 12M18 6L6 18",
  up: "M12 19V6M6.5 11.5L12 6l5.5 5.5",
  cloud: "M4 4l16 16M8 8.5A5 5 0 0 0 7 18h9.5M11 7a5 5 0 0 1 6.5 4 3.5 3.5 0 0 1 2.5 5",
} as const;

/** The name of one of the inbox's icons. */
export type IconName = keyof typeof PATHS;

/** An icon beside a text, or in a button that has a name. It says nothing of its own. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="belfry-icon" data-icon={name} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

const PATHS = {
  bell: "M12 3a6 6 0 0 0-6 6v3.6L4 16v1.5h16V16l-2-3.4V9a6 6 0 0 0-6-6Zm-2.5 16a2.5 2.5 0 0 0 5 0",
  inbox: "M3 13l3-8h12l3 8v6H3v-6Zm0 0h5l1.5 3h5L16 13h5",
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13Zm5 11.5L20 20",
  health: "M3 12h4l3-8 4 16 3-8h4",
  live: "M12 10a2 2 0 1 1 0 4 2 2 0 0 1 0-4ZM7.8 7.8a6 6 0 0 0 0 8.4M16.2 7.8a6 6 0 0 1 0 8.4M5 5a10 10 0 0 0 0 14M19 5a10 10 0 0 1 0 14",
  suppressed: "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16ZM6.5 6.5l11 11",
  endpoints: "M4 12h7m0 0 3-5h6m-9 5 3 5h6M4 9v6",
  audit: "M6 3h12v18H6V3Zm3 5h6M9 12h6M9 16h4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  alert: "M12 4l9 16H3L12 4Zm0 6v4m0 2.5v.5",
  empty: "M4 7h16v12H4zM4 7l3-3h10l3 3M9 12h6",
  external: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  back: "M15 5l-7 7 7 7",
  pause: "M8 5v14M16 5v14",
  remove: "M7 7l10 10M17 7L7 17",
  record: "M4 5h16v4H4zM4 13h9v6H4zM17 13v6M14 16h6",
  play: "M7 5l12 7-12 7V5Z",
} as const;

/** The name of a picture. */
export type IconName = keyof typeof PATHS;

/** A small picture beside a text that says the same. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

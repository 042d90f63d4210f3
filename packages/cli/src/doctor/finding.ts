import type { Opened } from "../context.ts";

/** How bad a finding is, from what is right to what is worst. */
export const LEVELS = ["ok", "note", "warning", "error", "unreachable"] as const;

/** One of the levels. */
export type Level = (typeof LEVELS)[number];

/** One thing that was looked at. */
export interface Finding {
  readonly level: Level;
  /** What it is about, such as `clock`. */
  readonly about: string;
  readonly message: string;
  /** What to do; null where nothing has to be done. */
  readonly remedy: string | null;
}

/** Looks at one side of a service. */
export type Check = (opened: Opened) => readonly Finding[] | Promise<readonly Finding[]>;

/** Something that is as it should be. */
export function fine(about: string, message: string): Finding {
  return { level: "ok", about, message, remedy: null };
}

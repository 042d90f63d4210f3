import type { Position } from "./item.ts";

/** A position as texts have it: `epoch:seq:rev`. */
export function positionText({ epoch, seq, rev }: Position): string {
  return `${epoch}:${seq}:${rev}`;
}

/** Reads a {@link positionText}. */
export function parsePosition(text: string): Position {
  const [epoch = "", seq, rev = 0] = text.split(":");
  return { epoch, seq: Number(seq), rev: Number(rev) };
}

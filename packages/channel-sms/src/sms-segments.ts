import { requireText } from "@belfry/channel-http";

/** How a text is sent: in parts of 160 or 70 characters, or a few less where there are several. */
export interface SmsSegments {
  /** `gsm7` for texts of the 7-bit alphabet of GSM 03.38; `ucs2` for all others: one emoji makes every part shorter. */
  readonly encoding: "gsm7" | "ucs2";
  /** How many parts it has, each of which is charged; 0 for an empty text. */
  readonly count: number;
}

const BASIC =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/** Characters behind an escape, which takes the room of one. */
const EXTENDED = "\f^{}\\[~]|€";

const WIDTHS: ReadonlyMap<string, number> = new Map([
  ...[...BASIC].map((character) => [character, 1] as const),
  ...[...EXTENDED].map((character) => [character, 2] as const),
]);

/** How much fits into a text of one part, and into each of several, in the units of its encoding. */
const ROOM = { gsm7: { alone: 160, joined: 153 }, ucs2: { alone: 70, joined: 67 } } as const;

/**
 * Counts the parts in which a text is sent, as providers charge them.
 *
 * @throws `CONFIGURATION` for what is no text.
 * @example
 * ```ts
 * smsSegments("Your table is ready."); // { encoding: "gsm7", count: 1 }
 * ```
 */
export function smsSegments(text: string): SmsSegments {
  const { encoding, parts } = split(requireText("smsSegments: text", text, { form: /^/, remedy: "a text" }));
  return { encoding, count: parts.length };
}

/** The ellipsis of a cut text, which both encodings have. */
const ELLIPSIS = "...";

/** Cuts a text so that it is sent in at most `count` parts, with an ellipsis at its end, and never inside of a character. */
export function cutToSegments(text: string, count: number): string {
  const { encoding, parts } = split(text);
  if (parts.length <= count) {
    return text;
  }
  const kept = [...text].slice(0, count * ROOM[encoding].alone);
  while (kept.length > 0 && split(kept.join("") + ELLIPSIS).parts.length > count) {
    kept.pop();
  }
  return kept.join("") + ELLIPSIS;
}

/** Splits a text as providers do: no part ends inside of a character. */
function split(text: string): { readonly encoding: SmsSegments["encoding"]; readonly parts: readonly string[] } {
  const characters = [...text];
  const encoding = characters.every((character) => WIDTHS.has(character)) ? "gsm7" : "ucs2";
  const widthOf = (character: string) => (encoding === "gsm7" ? (WIDTHS.get(character) ?? 1) : character.length);
  const { alone, joined } = ROOM[encoding];
  if (characters.reduce((sum, character) => sum + widthOf(character), 0) <= alone) {
    return { encoding, parts: text === "" ? [] : [text] };
  }
  const parts: string[] = [];
  let part = "";
  let used = 0;
  for (const character of characters) {
    const width = widthOf(character);
    if (used + width > joined) {
      parts.push(part);
      part = "";
      used = 0;
    }
    part += character;
    used += width;
  }
  return { encoding, parts: [...parts, part] };
}
